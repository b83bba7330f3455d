package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/lethe-relay/lethe/internal/cli"
	"github.com/lethe-relay/lethe/tunnel/device"
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
			link, err := o.link(args[0])
			if err != nil {
				return err
			}
			defer link.Close()
			answer, err := manage(cmd.Context(), link, args[0], service.ManageRequest{Do: "devices"})
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(cmd, answer.Devices)
			}
			return cli.PrintDevices(cmd.OutOrStdout(), answer.Devices)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func revokeCommand(o *options) *cobra.Command {
	return &cobra.Command{
		Use:   "revoke ROUTER DEVICE",
		Short: "Take another device's access back",
		Long: `Take another device's access to a router back: its tunnels end at once, and router and
relay refuse it from then on. DEVICE is its name, its ID, or the first group of that, as
'lethe devices ROUTER' lists them. Only owners may.`,
		Example:           "  lethe revoke home old-phone",
		Args:              cobra.ExactArgs(2),
		ValidArgsFunction: o.completeRouter,
		RunE: func(cmd *cobra.Command, args []string) error {
			link, err := o.link(args[0])
			if err != nil {
				return err
			}
			defer link.Close()
			answer, err := manage(cmd.Context(), link, args[0], service.ManageRequest{Do: "revoke", Device: args[1]})
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "revoked %s\n", cli.DeviceName(answer.Revoked))
			return nil
		},
	}
}

// manage asks the router to list or change its devices.
func manage(ctx context.Context, link *device.Link, router string, request service.ManageRequest) (service.ManageAnswer, error) {
	done := cli.Progress("asking " + router)
	defer done()
	stream, err := link.Open(ctx, service.NameManage)
	if err != nil {
		return service.ManageAnswer{}, err
	}
	defer stream.Close()
	return service.Manage(ctx, stream, request)
}
