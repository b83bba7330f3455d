package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/lethe-relay/lethe/internal/cli"
	"github.com/lethe-relay/lethe/tunnel/service"
)

func waitingCommand() *cobra.Command {
	var path string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "waiting --config FILE",
		Short: "List the devices that wait for approval",
		Long: `List the devices that wait in new surroundings for an owner's approval, since when, and
why they were not let in. The agent must be running.`,
		Example: "  lethe-agent waiting --config /etc/lethe/agent.yaml",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			answer, err := manage(cmd, path, service.ManageRequest{Do: "waiting"})
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(cmd, append([]service.Waiting{}, answer.Waiting...))
			}
			if len(answer.Waiting) == 0 {
				fmt.Fprintln(cmd.ErrOrStderr(), "no device waits for approval")
				return nil
			}
			return cli.PrintWaiting(cmd.OutOrStdout(), answer.Waiting)
		},
	}
	configFlag(cmd, &path)
	jsonFlag(cmd, &asJSON)
	return cmd
}

func approveCommand() *cobra.Command {
	var path string
	var reject, asJSON bool
	cmd := &cobra.Command{
		Use:   "approve --config FILE DEVICE",
		Short: "Let a device in that waits in new surroundings",
		Long: `Let a device in that waits for approval: the router learns its surroundings. DEVICE is its
name, its ID, or the first group of that, as 'lethe-agent waiting' lists them. Ask the
person first: whoever holds a stolen device waits there, too. The agent must be running.`,
		Example: `  lethe-agent approve --config /etc/lethe/agent.yaml anna-phone
  lethe-agent approve --config /etc/lethe/agent.yaml anna-phone --reject`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			request, done := service.ManageRequest{Do: "approve", Device: args[0]}, "approved"
			if reject {
				request.Do, done = "reject", "rejected"
			}
			answer, err := manage(cmd, path, request)
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(cmd, answer.Decided)
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s %s\n", done, cli.DeviceName(answer.Decided))
			return err
		},
	}
	configFlag(cmd, &path)
	cmd.Flags().BoolVar(&reject, "reject", false, "don't let it in")
	jsonFlag(cmd, &asJSON)
	return cmd
}
