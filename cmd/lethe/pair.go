package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/internal/cli"
	"github.com/lethe-relay/lethe/internal/wire"
	"github.com/lethe-relay/lethe/tunnel"
)

func pairCommand(o *options) *cobra.Command {
	var name, deviceName string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "pair URI",
		Short: "Pair this device with a router",
		Long: `Pair this device with the router that shows the URI ('lethe-agent pair' there). The
router signs a grant for this device's key. Put the URI in quotes.`,
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
			if asJSON {
				return printJSON(cmd, routerJSON(router))
			}
			fmt.Fprintf(cmd.OutOrStdout(), "paired with %s (%s)\nnext: lethe status %s\n", router.Name, router.ID.Short(), router.Name)
			return nil
		},
	}
	cmd.Flags().StringVar(&name, "name", "", "what to call the router; default: what it calls itself")
	cmd.Flags().StringVar(&deviceName, "device-name", hostName(), "what the router shall call this device")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
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

func unpairCommand(o *options) *cobra.Command {
	var local bool
	cmd := &cobra.Command{
		Use:   "unpair ROUTER",
		Short: "Undo a pairing at both ends",
		Long: `Ask the router to forget this device, and forget the router. With --local the router
is not asked, which helps when it is gone for good.`,
		Example:           "  lethe unpair home",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: o.completeRouter,
		RunE: func(cmd *cobra.Command, args []string) error {
			store, err := o.open()
			if err != nil {
				return err
			}
			if !local {
				router, err := store.Router(args[0])
				if err != nil {
					return err
				}
				err = forgetMe(cmd, store.Link(router), args[0])
				if err != nil && !errors.Is(err, &tunnel.RefusedError{Code: "grant_revoked"}) { // it has forgotten us already
					return fmt.Errorf("%w; to forget the router here all the same: lethe unpair --local %s", err, args[0])
				}
			}
			if err := store.Remove(args[0]); err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "unpaired from %s\n", args[0])
			if local {
				fmt.Fprintln(cmd.ErrOrStderr(), "the router was not told: 'lethe-agent revoke' there takes this device off its list")
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&local, "local", false, "forget the router without asking it")
	return cmd
}
