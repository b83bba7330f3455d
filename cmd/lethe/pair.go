package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/auth/ecv"
	"github.com/lethe-relay/lethe/internal/cli"
	"github.com/lethe-relay/lethe/internal/wire"
	"github.com/lethe-relay/lethe/tunnel/device"
)

func pairCommand(o *options) *cobra.Command {
	var name, deviceName string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "pair URI",
		Short: "Pair this device with a router",
		Long: `Pair this device with the router that shows the URI ('lethe-agent pair' there, or 'lethe
share' on another device). The router signs a grant for this device's key. Put the URI in
quotes. A router that is paired already keeps its name.

A first session follows at once: a router that judges surroundings takes those of this
hour for the device's own.`,
		Example: "  lethe pair 'lethe://relay.example.org:443/pair?…' --name home",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			uri, err := auth.ParsePairingURI(args[0])
			if err != nil {
				return err
			}
			if !wire.ValidName(deviceName) {
				return fmt.Errorf("--device-name must be one line of at most %d bytes", wire.MaxName)
			}
			store, err := o.open()
			if err != nil {
				return err
			}
			done := cli.Progress("pairing")
			router, err := store.Pair(cmd.Context(), uri, name, deviceName)
			done()
			if err != nil {
				return err
			}
			introduce(cmd, store, router)
			if asJSON {
				return cli.PrintJSON(cmd, routerJSON(router))
			}
			fmt.Fprintf(cmd.OutOrStdout(), "paired with %s (%s)\nnext: lethe status %s\n", router.Name, router.ID.Short(), router.Name)
			return nil
		},
	}
	cmd.Flags().StringVar(&name, "name", "", "what to call the router; default: what it calls itself")
	cmd.Flags().StringVar(&deviceName, "device-name", hostName(), "what the router shall call this device")
	cli.JSONFlag(cmd, &asJSON)
	return cmd
}

// introduce makes the first session. What goes wrong with it is told, and is no
// failure of the pairing.
func introduce(cmd *cobra.Command, store *device.Store, r *device.Router) {
	done := cli.Progress("first session")
	verdict, err := store.Introduce(cmd.Context(), r)
	done()
	switch {
	case err != nil:
		fmt.Fprintf(cmd.ErrOrStderr(), "the pairing is good, but a first session failed: %v; so that %s learns these surroundings, use it within an hour: lethe status %s\n", err, r.Name, r.Name)
	case verdict.Verdict != ecv.Allow:
		fmt.Fprintf(cmd.ErrOrStderr(), "%s does not let this device in from here yet: 'lethe env %s' shows why\n", r.Name, r.Name)
	}
}

// hostName is this machine's name as far as it can be a device's.
func hostName() string {
	name, err := os.Hostname()
	name, _, _ = strings.Cut(name, ".")
	if err != nil || !wire.ValidName(name) {
		return ""
	}
	return name
}
