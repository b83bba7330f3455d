package main

import (
	"github.com/spf13/cobra"

	"github.com/lethe-relay/lethe/internal/cli"
	"github.com/lethe-relay/lethe/tunnel/service"
)

func revokeCommand(o *options) *cobra.Command {
	var asJSON, keepShared bool
	cmd := &cobra.Command{
		Use:   "revoke ROUTER DEVICE",
		Short: "Take another device's access back",
		Long: `Take another device's access to a router back: its tunnels end at once, and router and
relay refuse it from then on. So are all that it has invited, and they in turn, since a
thief may have invited himself. DEVICE is its name, its ID, or the first group of that, as
'lethe devices ROUTER' lists them. Only owners may.`,
		Example:           "  lethe revoke home stolen-phone\n  lethe revoke home old-phone --keep-shared",
		Args:              cobra.ExactArgs(2),
		ValidArgsFunction: o.completeRouter,
		RunE: func(cmd *cobra.Command, args []string) error {
			answer, err := o.manage(cmd, args[0], service.ManageRequest{Do: "revoke", Device: args[1], KeepShared: keepShared})
			if err != nil {
				return err
			}
			return cli.ShowRevoked(cmd, answer, keepShared, asJSON)
		},
	}
	cli.KeepSharedFlag(cmd, &keepShared)
	cli.JSONFlag(cmd, &asJSON)
	return cmd
}
