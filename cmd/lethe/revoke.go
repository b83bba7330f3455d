package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/lethe-relay/lethe/internal/cli"
	"github.com/lethe-relay/lethe/tunnel/service"
)

func revokeCommand(o *options) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "revoke ROUTER DEVICE",
		Short: "Take another device's access back",
		Long: `Take another device's access to a router back: its tunnels end at once, and router and
relay refuse it from then on. DEVICE is its name, its ID, or the first group of that, as
'lethe devices ROUTER' lists them. Only owners may.`,
		Example:           "  lethe revoke home old-phone",
		Args:              cobra.ExactArgs(2),
		ValidArgsFunction: o.completeRouter,
		RunE: func(cmd *cobra.Command, args []string) error {
			answer, err := o.manage(cmd, args[0], service.ManageRequest{Do: "revoke", Device: args[1]})
			if err != nil {
				return err
			}
			if answer.Revoked == nil {
				return errNoAnswer
			}
			if asJSON {
				return printJSON(cmd, answer.Revoked)
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "revoked %s\n", cli.DeviceName(answer.Revoked))
			return err
		},
	}
	jsonFlag(cmd, &asJSON)
	return cmd
}
