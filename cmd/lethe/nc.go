package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/lethe-relay/lethe/internal/cli"
	"github.com/lethe-relay/lethe/tunnel/proxy"
)

func ncCommand(o *options) *cobra.Command {
	return &cobra.Command{
		Use:   "nc ROUTER SERVICE",
		Short: "Connect stdin and stdout to a service of a router",
		Long:  "Connect stdin and stdout to a service of a router, for ssh's ProxyCommand and for scripts.",
		Example: `  ssh -o ProxyCommand='lethe nc home ssh' root@home
  lethe nc home status </dev/null`,
		Args:              cobra.ExactArgs(2),
		ValidArgsFunction: o.completeRouter,
		RunE: func(cmd *cobra.Command, args []string) error {
			link, err := o.link(args[0])
			if err != nil {
				return err
			}
			defer link.Close()
			done := cli.Progress("connecting to " + args[0])
			stream, err := link.Open(cmd.Context(), args[1])
			done()
			if err != nil {
				return err
			}
			stop := context.AfterFunc(cmd.Context(), func() { stream.Close() })
			defer stop()
			return cli.Ended(cmd.Context(), proxy.Pipe(cmd.InOrStdin(), cmd.OutOrStdout(), stream))
		},
	}
}
