package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/lethe-relay/lethe/internal/cli"
	"github.com/lethe-relay/lethe/tunnel/device"
	"github.com/lethe-relay/lethe/tunnel/service"
)

// manage asks a router about its devices, or to change something about them.
func (o *options) manage(cmd *cobra.Command, router string, request service.ManageRequest) (service.ManageAnswer, error) {
	link, err := o.link(router)
	if err != nil {
		return service.ManageAnswer{}, err
	}
	defer link.Close()
	return ask(cmd.Context(), link, router, service.NameManage, request)
}

// ask sends one request to a built-in service of the router.
func ask(ctx context.Context, link *device.Link, router, through string, request service.ManageRequest) (service.ManageAnswer, error) {
	done := cli.Progress("asking " + router)
	defer done()
	stream, err := link.Open(ctx, through)
	if err != nil {
		return service.ManageAnswer{}, err
	}
	defer stream.Close()
	return service.Manage(ctx, stream, request)
}
