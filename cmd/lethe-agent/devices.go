package main

import (
	"encoding/json"
	"fmt"

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
			if asJSON {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(append([]service.DeviceInfo{}, answer.Devices...))
			}
			return cli.PrintDevices(cmd.OutOrStdout(), answer.Devices)
		},
	}
	configFlag(cmd, &path)
	jsonFlag(cmd, &asJSON)
	return cmd
}

func revokeCommand() *cobra.Command {
	var path string
	cmd := &cobra.Command{
		Use:   "revoke --config FILE DEVICE",
		Short: "Take a device's access back",
		Long: `Take a device's access back: its tunnels end at once, and router and relay refuse it
from then on. DEVICE is its name, its ID, or the first group of that, as 'lethe-agent
devices' lists them. The agent must be running.`,
		Example: "  lethe-agent revoke --config /etc/lethe/agent.yaml old-phone",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			answer, err := manage(cmd, path, service.ManageRequest{Do: "revoke", Device: args[0]})
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "revoked %s\n", cli.DeviceName(answer.Revoked))
			return err
		},
	}
	configFlag(cmd, &path)
	return cmd
}
