package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/lethe-relay/lethe/internal/cli"
	"github.com/lethe-relay/lethe/tunnel/service"
)

func unshareCommand(o *options) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "unshare ROUTER NAME",
		Short: "Take back what was shared",
		Long: `Take back an invitation, or the access of the device that has accepted one: its tunnels
end at once. NAME is as 'lethe shares ROUTER' lists it.`,
		Example:           "  lethe unshare home anna",
		Args:              cobra.ExactArgs(2),
		ValidArgsFunction: o.completeRouter,
		RunE: func(cmd *cobra.Command, args []string) error {
			answer, err := o.manage(cmd, args[0], service.ManageRequest{Do: "unshare", Device: args[1]})
			if err != nil {
				return err
			}
			if asJSON {
				return cli.PrintJSON(cmd, service.ManageAnswer{Revoked: answer.Revoked, Invited: answer.Invited, Invitation: answer.Invitation})
			}
			switch {
			case answer.Revoked != nil:
				_, err = fmt.Fprintf(cmd.OutOrStdout(), "took back the access of %s\n", cli.DeviceName(answer.Revoked))
			case answer.Invitation != nil:
				_, err = fmt.Fprintf(cmd.OutOrStdout(), "took back the invitation %s\n", cli.Printable(answer.Invitation.Name))
			default:
				err = cli.ErrNoAnswer
			}
			return err
		},
	}
	cli.JSONFlag(cmd, &asJSON)
	return cmd
}
