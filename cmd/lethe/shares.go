package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/lethe-relay/lethe/internal/cli"
	"github.com/lethe-relay/lethe/tunnel/service"
)

func sharesCommand(o *options) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "shares ROUTER",
		Short: "List who has what of a router",
		Long: `List who has which services of a router, since when, until when, when it was last used
and who shared it; and the invitations that nobody has accepted yet. Owners see all,
admins what they have shared themselves.`,
		Example:           "  lethe shares home\n  lethe shares home --json",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: o.completeRouter,
		RunE: func(cmd *cobra.Command, args []string) error {
			answer, err := o.manage(cmd, args[0], service.ManageRequest{Do: "shares"})
			if err != nil {
				return err
			}
			return cli.ShowShares(cmd, answer, asJSON, fmt.Sprintf("nothing is shared; 'lethe share %s' invites somebody", args[0]))
		},
	}
	cli.JSONFlag(cmd, &asJSON)
	return cmd
}
