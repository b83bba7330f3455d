package main

import (
	"github.com/spf13/cobra"

	"github.com/lethe-relay/lethe/internal/cli"
)

func approveCommand(o *options) *cobra.Command {
	var decision cli.Decision
	var asJSON bool
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
			answer, err := o.manage(cmd, args[0], decision.Request(args[1]))
			if err != nil {
				return err
			}
			return decision.Show(cmd, answer, asJSON)
		},
	}
	decision.Add(cmd)
	cli.JSONFlag(cmd, &asJSON)
	return cmd
}
