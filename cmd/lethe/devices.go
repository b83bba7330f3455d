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
			return cli.ShowDevices(cmd, answer, asJSON)
		},
	}
	cli.JSONFlag(cmd, &asJSON)
	return cmd
}
