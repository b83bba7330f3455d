package main

import (
	"fmt"

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
			if asJSON {
				return printJSON(cmd, append([]service.Waiting{}, answer.Waiting...)) // [] and not null
			}
			if len(answer.Waiting) == 0 {
				fmt.Fprintln(cmd.ErrOrStderr(), "no device waits for approval")
				return nil
			}
			return cli.PrintWaiting(cmd.OutOrStdout(), answer.Waiting)
		},
	}
	jsonFlag(cmd, &asJSON)
	return cmd
}
