package main

import (
	"github.com/spf13/cobra"

	"github.com/lethe-relay/lethe/internal/cli"
	"github.com/lethe-relay/lethe/tunnel/service"
)

func devicesCommand(o *options) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:               "devices ROUTER",
		Short:             "List the devices that are paired with a router",
		Long:              "List the devices that are paired with a router. Only owners may.",
		Example:           "  lethe devices home\n  lethe devices home --json",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: o.completeRouter,
		RunE: func(cmd *cobra.Command, args []string) error {
			answer, err := o.manage(cmd, args[0], service.ManageRequest{Do: "devices"})
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(cmd, append([]service.DeviceInfo{}, answer.Devices...)) // [] and not null
			}
			return cli.PrintDevices(cmd.OutOrStdout(), answer.Devices)
		},
	}
	jsonFlag(cmd, &asJSON)
	return cmd
}
