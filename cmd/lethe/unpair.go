package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/lethe-relay/lethe/internal/cli"
	"github.com/lethe-relay/lethe/tunnel"
	"github.com/lethe-relay/lethe/tunnel/device"
	"github.com/lethe-relay/lethe/tunnel/service"
)

func unpairCommand(o *options) *cobra.Command {
	var local, asJSON bool
	cmd := &cobra.Command{
		Use:   "unpair ROUTER",
		Short: "Undo a pairing at both ends",
		Long: `Ask the router to take this device off its list, and forget the router. With --local the
router is not asked, which helps when it is gone for good. 'lethe forget' does more: it
has everything erased, with signed receipts.`,
		Example:           "  lethe unpair home",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: o.completeRouter,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.unpair(cmd, args[0], local); err != nil {
				return err
			}
			if local {
				fmt.Fprintln(cmd.ErrOrStderr(), "the router was not told: 'lethe-agent revoke' there takes this device off its list")
			}
			if asJSON {
				return cli.PrintJSON(cmd, struct {
					Unpaired string `json:"unpaired"`
				}{args[0]})
			}
			_, err := fmt.Fprintf(cmd.OutOrStdout(), "unpaired from %s\n", args[0])
			return err
		},
	}
	cmd.Flags().BoolVar(&local, "local", false, "forget the router without asking it")
	cli.JSONFlag(cmd, &asJSON)
	return cmd
}

func (o *options) unpair(cmd *cobra.Command, name string, local bool) error {
	store, err := o.open()
	if err != nil {
		return err
	}
	if !local {
		router, err := store.Router(name)
		if err != nil {
			return err
		}
		err = leave(cmd, store.Link(router), name)
		if err != nil && !errors.Is(err, &tunnel.RefusedError{Code: "grant_revoked"}) { // it has forgotten us already
			return fmt.Errorf("%w; to forget the router here all the same: lethe unpair --local %s", err, name)
		}
	}
	return store.Remove(name)
}

// leave asks the router to take this device off its list.
func leave(cmd *cobra.Command, link *device.Link, name string) error {
	defer link.Close()
	done := cli.Progress("asking " + name)
	defer done()
	stream, err := link.Open(cmd.Context(), service.NameUnpair)
	if err != nil {
		return err
	}
	defer stream.Close()
	_, err = io.Copy(io.Discard, stream)
	return err
}
