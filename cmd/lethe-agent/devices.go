package main

import (
	"github.com/spf13/cobra"

	"github.com/lethe-relay/lethe/internal/cli"
	"github.com/lethe-relay/lethe/tunnel/service"
)

func devicesCommand() *cobra.Command {
	var path string
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "devices --config FILE",
		Short:   "List the paired devices",
		Long:    "List the devices that are paired with this router. The agent must be running.",
		Example: "  lethe-agent devices --config /etc/lethe/agent.yaml",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			answer, err := manage(cmd, path, service.ManageRequest{Do: "devices"})
			if err != nil {
				return err
			}
			return cli.ShowDevices(cmd, answer, asJSON)
		},
	}
	configFlag(cmd, &path)
	cli.JSONFlag(cmd, &asJSON)
	return cmd
}

func revokeCommand() *cobra.Command {
	var path string
	var asJSON, keepShared bool
	cmd := &cobra.Command{
		Use:   "revoke --config FILE DEVICE",
		Short: "Take a device's access back",
		Long: `Take a device's access back: its tunnels end at once, and router and relay refuse it
from then on. So are all that it has invited, and they in turn, since a thief may have
invited himself. DEVICE is its name, its ID, or the first group of that, as 'lethe-agent
devices' lists them. The agent must be running.`,
		Example: `  lethe-agent revoke --config /etc/lethe/agent.yaml stolen-phone
  lethe-agent revoke --config /etc/lethe/agent.yaml old-phone --keep-shared`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			answer, err := manage(cmd, path, service.ManageRequest{Do: "revoke", Device: args[0], KeepShared: keepShared})
			if err != nil {
				return err
			}
			return cli.ShowRevoked(cmd, answer, keepShared, asJSON)
		},
	}
	configFlag(cmd, &path)
	cli.KeepSharedFlag(cmd, &keepShared)
	cli.JSONFlag(cmd, &asJSON)
	return cmd
}
