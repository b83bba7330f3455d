package main

import (
	"github.com/spf13/cobra"

	"github.com/lethe-relay/lethe/internal/cli"
	"github.com/lethe-relay/lethe/tunnel/service"
)

func shareCommand(o *options) *cobra.Command {
	var flags cli.ShareFlags
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "share ROUTER --services NAMES --for DURATION",
		Short: "Invite somebody to services of a router",
		Long: `Show a QR code and a URI for 'lethe pair' on somebody else's device. It works once. Send
it by a way that nobody else can read: whoever has it first is let in.

Nobody can share more than they have, or for longer. Owners and admins may share, guests
may not.`,
		Example: `  lethe share home --role guest --services http,status --for 48h
  lethe share home --services http --for 7d --accept 1h --name anna`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: o.completeRouter,
		RunE: func(cmd *cobra.Command, args []string) error {
			share, err := flags.Share()
			if err != nil {
				return err
			}
			answer, err := o.manage(cmd, args[0], service.ManageRequest{Do: "share", Share: share})
			if err != nil {
				return err
			}
			return cli.ShowInvitation(cmd, answer, asJSON, args[0], "lethe unshare "+args[0])
		},
	}
	flags.Add(cmd)
	cli.JSONFlag(cmd, &asJSON)
	return cmd
}
