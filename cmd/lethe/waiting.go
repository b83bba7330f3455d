package main

import (
	"github.com/spf13/cobra"

	"github.com/lethe-relay/lethe/internal/cli"
	"github.com/lethe-relay/lethe/tunnel/service"
)

func waitingCommand(o *options) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "waiting ROUTER",
		Short: "List devices that wait for an owner's approval",
		Long: `List the devices that a router does not know in their present surroundings, and whose
users have asked for an owner's approval with 'lethe confirm'. Only owners may.`,
		Example:           "  lethe waiting home\n  lethe approve home anna-phone",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: o.completeRouter,
		RunE: func(cmd *cobra.Command, args []string) error {
			answer, err := o.manage(cmd, args[0], service.ManageRequest{Do: "waiting"})
			if err != nil {
				return err
			}
			return cli.ShowWaiting(cmd, answer, asJSON)
		},
	}
	cli.JSONFlag(cmd, &asJSON)
	return cmd
}
