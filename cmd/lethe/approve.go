package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/lethe-relay/lethe/internal/cli"
	"github.com/lethe-relay/lethe/tunnel/service"
)

func approveCommand(o *options) *cobra.Command {
	var reject, asJSON bool
	cmd := &cobra.Command{
		Use:   "approve ROUTER DEVICE",
		Short: "Let a device in that waits in new surroundings",
		Long: `Let a device in that waits for approval: the router learns its surroundings. DEVICE is its
name, its ID, or the first group of that, as 'lethe waiting ROUTER' lists them. Ask the
person first: whoever holds a stolen device waits there, too. Only owners may, and not for
the device they ask from.`,
		Example:           "  lethe approve home anna-phone\n  lethe approve home anna-phone --reject",
		Args:              cobra.ExactArgs(2),
		ValidArgsFunction: o.completeRouter,
		RunE: func(cmd *cobra.Command, args []string) error {
			request, done := service.ManageRequest{Do: "approve", Device: args[1]}, "approved"
			if reject {
				request.Do, done = "reject", "rejected"
			}
			answer, err := o.manage(cmd, args[0], request)
			if err != nil {
				return err
			}
			if answer.Decided == nil {
				return errNoAnswer
			}
			if asJSON {
				return printJSON(cmd, answer.Decided)
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s %s\n", done, cli.DeviceName(answer.Decided))
			return err
		},
	}
	cmd.Flags().BoolVar(&reject, "reject", false, "don't let it in")
	jsonFlag(cmd, &asJSON)
	return cmd
}
