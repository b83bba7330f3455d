package main

import (
	"encoding/json"

	"github.com/spf13/cobra"

	"github.com/lethe-relay/lethe/internal/cli"
	"github.com/lethe-relay/lethe/tunnel/service"
)

func exportCommand() *cobra.Command {
	var path string
	cmd := &cobra.Command{
		Use:   "export --config FILE DEVICE",
		Short: "Print all that is held about a device, as JSON",
		Long: `Print, as JSON, all that this router holds about a device, for the person who carries it.
Secrets are named and not shown. DEVICE is its name, its ID, or the first group of that.
The agent must be running.`,
		Example: "  lethe-agent export --config /etc/lethe/agent.yaml anna-phone >anna.json",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			answer, err := manage(cmd, path, service.ManageRequest{Do: "export", Device: args[0]})
			if err != nil {
				return err
			}
			return cli.PrintJSON(cmd, json.RawMessage(answer.Export))
		},
	}
	configFlag(cmd, &path)
	return cmd
}

func forgetCommand() *cobra.Command {
	var path string
	cmd := &cobra.Command{
		Use:   "forget --config FILE DEVICE",
		Short: "Erase all that is held about a device",
		Long: `Erase all that this router holds about a device, and print a receipt for the person who
carries it: JSON that the router has signed. The device is refused from then on. What
stays is its ID, with the word that its grants are void, until they would have ended.
DEVICE is its name, its ID, or the first group of that. The agent must be running.`,
		Example: "  lethe-agent forget --config /etc/lethe/agent.yaml anna-phone >receipt.json",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			answer, err := manage(cmd, path, service.ManageRequest{Do: "forget", Device: args[0]})
			if err != nil {
				return err
			}
			return cli.PrintJSON(cmd, answer.Receipt)
		},
	}
	configFlag(cmd, &path)
	return cmd
}
