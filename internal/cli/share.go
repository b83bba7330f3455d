package cli

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/internal/conf"
	"github.com/lethe-relay/lethe/tunnel/service"
)

// ShareFlags say what somebody is invited to.
type ShareFlags struct {
	role, name  string
	services    []string
	lasts, open conf.Duration
}

// Add gives them to a command. --services and --for are required.
func (f *ShareFlags) Add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.role, "role", string(auth.RoleGuest), "owner, admin or guest")
	cmd.Flags().StringSliceVar(&f.services, "services", nil, "names of services with commas between them, or '*' for all")
	cmd.Flags().TextVar(&f.lasts, "for", conf.Duration(0), "how long the access lasts, from now on, as 48h or 7d; 0s: as long as yours")
	cmd.Flags().TextVar(&f.open, "accept", conf.Duration(24*time.Hour), "how long the invitation can be accepted")
	cmd.Flags().StringVar(&f.name, "name", "", "what you call whom it is for")
	cmd.Flags().Lookup("for").DefValue = "" // required, so there is no default to show
	cmd.MarkFlagRequired("services")
	cmd.MarkFlagRequired("for")
	roles := []string{string(auth.RoleOwner), string(auth.RoleAdmin), string(auth.RoleGuest)}
	cmd.RegisterFlagCompletionFunc("role", cobra.FixedCompletions(roles, cobra.ShellCompDirectiveNoFileComp))
}

// Share checks what can be checked here; the router has the last word. What it
// finds is a [*UsageError].
func (f *ShareFlags) Share() (*service.Share, error) {
	if err := f.check(); err != nil {
		return nil, &UsageError{err}
	}
	return &service.Share{Role: auth.Role(f.role), Services: f.services, For: time.Duration(f.lasts), Accept: time.Duration(f.open), Name: f.name}, nil
}

func (f *ShareFlags) check() error {
	role := auth.Role(f.role)
	if role != auth.RoleOwner && role != auth.RoleAdmin && role != auth.RoleGuest {
		return errors.New("--role must be owner, admin or guest")
	}
	all := len(f.services) == 1 && f.services[0] == auth.AllServices
	for _, name := range f.services {
		if !all && !auth.ValidService(name) {
			return fmt.Errorf("--services: %q can't be the name of a service; join names with commas, or give '*' alone for all", name)
		}
	}
	if f.open == 0 {
		return errors.New("--accept must be more than 0s: nobody could accept the invitation")
	}
	return nil
}

// PrintInvitation shows an invitation to whoever is to pass it on. router is
// what the command line calls the router, and unshare the command that takes the
// invitation back, but for its name.
func PrintInvitation(w io.Writer, i *service.Invitation, router, unshare string) error {
	PrintQR(w, i.URI)
	_, err := fmt.Fprintf(w, `
%s

It lets one device use %s of %s as %s, until %s.
On that device, until %s: lethe pair 'URI'
To take it back: %s %s
`, Printable(i.URI), Printable(strings.Join(i.Services, ", ")), router, Printable(string(i.Role)), i.Until.Local().Format(time.DateTime),
		i.AcceptBy.Local().Format(time.DateTime), unshare, Printable(i.Name))
	return err
}
