package main

import (
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
			return cli.ShowWaiting(cmd, answer, asJSON)
		},
	}
	configFlag(cmd, &path)
	cli.JSONFlag(cmd, &asJSON)
	return cmd
}

func approveCommand() *cobra.Command {
	var path string
	var decision cli.Decision
	var asJSON bool
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
			answer, err := manage(cmd, path, decision.Request(args[0]))
			if err != nil {
				return err
			}
			return decision.Show(cmd, answer, asJSON)
		},
	}
	configFlag(cmd, &path)
	decision.Add(cmd)
	cli.JSONFlag(cmd, &asJSON)
	return cmd
}
