package cli

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/lethe-relay/lethe/tunnel/service"
)

// TestEmptyAnswers: what a router leaves out is an error and no panic; lists that are empty are [].
func TestEmptyAnswers(t *testing.T) {
	var decision Decision
	for name, c := range map[string]struct {
		show func(*cobra.Command, service.ManageAnswer, bool) error
		err  error
		json string
	}{
		"devices": {ShowDevices, nil, "[]"},
		"waiting": {ShowWaiting, nil, "[]"},
		"decided": {decision.Show, ErrNoAnswer, ""},
		"revoked": {func(cmd *cobra.Command, a service.ManageAnswer, asJSON bool) error {
			return ShowRevoked(cmd, a, false, asJSON)
		}, ErrNoAnswer, ""},
		"shares": {func(cmd *cobra.Command, a service.ManageAnswer, asJSON bool) error {
			return ShowShares(cmd, a, asJSON, "nobody")
		}, nil, "{\"devices\":[],\"invitations\":[]}"},
		"invitation": {func(cmd *cobra.Command, a service.ManageAnswer, asJSON bool) error {
			return ShowInvitation(cmd, a, asJSON, "home", "unshare")
		}, ErrNoAnswer, ""},
	} {
		for _, asJSON := range []bool{false, true} {
			var out bytes.Buffer
			cmd := &cobra.Command{}
			cmd.SetOut(&out)
			cmd.SetErr(&bytes.Buffer{})
			if err := c.show(cmd, service.ManageAnswer{}, asJSON); !errors.Is(err, c.err) {
				t.Errorf("%s: %v, want %v", name, err, c.err)
			}
			if got := strings.Join(strings.Fields(out.String()), ""); asJSON && got != c.json {
				t.Errorf("%s: %s, want %s", name, got, c.json)
			}
		}
	}
}

// TestShowRevoked: whoever revokes is told who else is concerned.
func TestShowRevoked(t *testing.T) {
	answer := service.ManageAnswer{
		Revoked: &service.DeviceInfo{Name: "stolen"}, Invited: []service.DeviceInfo{{Name: "anna"}, {Name: "ben"}},
	}
	for kept, want := range map[bool]string{false: "and whom it had invited: ben", true: "kept, although invited by it: ben"} {
		var out bytes.Buffer
		cmd := &cobra.Command{}
		cmd.SetOut(&out)
		if err := ShowRevoked(cmd, answer, kept, false); err != nil || !strings.HasPrefix(out.String(), "revoked stolen") || !strings.Contains(out.String(), want) {
			t.Errorf("%v\n%s", err, &out)
		}
	}
}

// TestShareDefaults: what is required has no default to show.
func TestShareDefaults(t *testing.T) {
	cmd := &cobra.Command{Use: "share"}
	new(ShareFlags).Add(cmd)
	if text := cmd.Flags().FlagUsages(); strings.Contains(text, "default 0s") || !strings.Contains(text, "(default 24h") && !strings.Contains(text, "(default 1d") {
		t.Errorf("got\n%s", text)
	}
}
