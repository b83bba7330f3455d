package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/auth/ecv"
	"github.com/lethe-relay/lethe/internal/cli"
	"github.com/lethe-relay/lethe/tunnel/device"
)

// envInfo is all that 'lethe env' knows, in --json.
type envInfo struct {
	Router   string      `json:"router"`
	Features []claim     `json:"features"`
	Policy   *policyInfo `json:"policy"` // null: the grant has none
	Word     *word       `json:"verdict,omitempty"`
	ToDo     []string    `json:"to_do,omitempty"`

	grant auth.Grant // without the demands of services that it does not allow
}

func envCommand(o *options) *cobra.Command {
	var offline, asJSON bool
	cmd := &cobra.Command{
		Use:   "env ROUTER",
		Short: "Show what a router makes of this device's surroundings",
		Long: `Show what this device knows of its surroundings, what leaves it, whether the grant accepts
it, and what the router demands; then open a session and show the router's verdict, and
what to do to get in.

HERE is for your eyes: the relay never gets it, the router gets Wi-Fi and place through
the tunnel. LEAVES is what the relay gets. It sees your address in any case, and vouches
for account, net, asn and country itself.

Exit code 3 says that relay or router refuse.`,
		Example: `  lethe env home
  lethe env home --offline
  lethe env home --wifi-ssid none --location 52.52,13.40`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: o.completeRouter,
		RunE: func(cmd *cobra.Command, args []string) error {
			store, router, err := o.router(args[0])
			if err != nil {
				return err
			}
			info, err := look(cmd.Context(), store, router)
			if err != nil {
				return err
			}
			if !asJSON {
				if err := info.printHere(cmd.OutOrStdout()); err != nil {
					return err
				}
			}
			if !offline {
				err = info.ask(cmd.Context(), store, router)
			}
			if asJSON {
				return firstOf(cli.PrintJSON(cmd, info), err)
			}
			info.printWord(cmd.OutOrStdout())
			return err
		},
	}
	cmd.Flags().BoolVar(&offline, "offline", false, "ask nobody")
	cli.JSONFlag(cmd, &asJSON)
	return cmd
}

// firstOf is the first that is an error.
func firstOf(a, b error) error {
	if a != nil {
		return a
	}
	return b
}

// look finds out what can be known without asking anybody.
func look(ctx context.Context, store *device.Store, router *device.Router) (*envInfo, error) {
	signed, err := auth.ParseGrant(router.Grant)
	if err != nil {
		return nil, err
	}
	grant := signed.Grant
	if p := grant.Policy; p != nil { // what goes for other services goes for other people
		p.Services = slices.DeleteFunc(p.Services, func(d ecv.Demand) bool { return !grant.Allows(d.Service) })
	}
	here := surroundings{router: router, identity: store.Identity(), grant: grant}
	login, found, err := store.Login(router.Relay)
	if err != nil {
		return nil, err
	}
	if found {
		here.login = &login
	}
	done := cli.Progress("looking around")
	here.evidence, err = store.Environment.Evidence(ctx)
	done()
	if err != nil {
		return nil, err
	}
	return &envInfo{Router: router.Name, Features: here.claims(), Policy: policyJSON(grant.Policy), grant: grant}, nil
}

// ask opens a session and notes what the router says, or who refused.
func (info *envInfo) ask(ctx context.Context, store *device.Store, router *device.Router) error {
	done := cli.Progress("asking " + router.Name)
	defer done()
	link := store.Link(router)
	defer link.Close()
	t, err := link.Tunnel(ctx)
	if err != nil {
		info.note(refusalWord(err))
		return err
	}
	verdict, err := firstVerdict(ctx, t)
	if err != nil {
		info.note(refusalWord(err))
		return err
	}
	info.note(wordOf(verdict))
	return denied(verdict)
}

func (info *envInfo) note(w *word) {
	if w != nil {
		info.Word, info.ToDo = w, advice(info.Router, w)
	}
}

// printHere prints the table and the policy.
func (info *envInfo) printHere(out io.Writer) error {
	fmt.Fprintf(out, "What this device shows to %s\n\n", info.Router)
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "   FEATURE\tHERE\tLEAVES\tACCEPTED\tWEIGHT")
	for _, c := range info.Features {
		fmt.Fprintf(table, " %s %s\t%s\t%s\t%s\t%s\n", c.mark(), c.Feature, c.Here, c.Leaves, c.accepted(), c.weight())
	}
	if err := table.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(out, "\n%s", policyText(info.grant.Policy))
	return err
}

func (info *envInfo) printWord(out io.Writer) {
	if info.Word == nil {
		return
	}
	fmt.Fprintln(out)
	info.Word.print(out, info.grant.Policy)
	if len(info.ToDo) == 0 {
		return
	}
	fmt.Fprintln(out, "\nTo get further, one of these may be enough:")
	for _, line := range info.ToDo {
		fmt.Fprintln(out, "  "+line)
	}
}

func (c claim) mark() string {
	if c.Accepted == nil {
		return "–"
	}
	return mark(*c.Accepted)
}

func (c claim) accepted() string {
	switch {
	case c.Accepted == nil:
		return "–"
	case *c.Accepted:
		return "yes"
	}
	return "no"
}

func (c claim) weight() string {
	switch {
	case c.Weight == 0:
		return "–"
	case c.Mandatory:
		return fmt.Sprintf("%d, must match", c.Weight)
	}
	return fmt.Sprint(c.Weight)
}
