package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/lethe-relay/lethe/internal/cli"
	"github.com/lethe-relay/lethe/tunnel/service"
)

func shareCommand() *cobra.Command {
	var path string
	var flags cli.ShareFlags
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "share --config FILE --services NAMES --for DURATION",
		Short: "Invite somebody to services of this router",
		Long: `Show a QR code and a URI for 'lethe pair' on somebody else's device. It works once. Send
it by a way that nobody else can read: whoever has it first is let in. The agent must
be running.`,
		Example: `  lethe-agent share --config /etc/lethe/agent.yaml --services http,status --for 48h
  lethe-agent share --config /etc/lethe/agent.yaml --services '*' --role admin --for 30d --name anna`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			share, err := flags.Share()
			if err != nil {
				return err
			}
			answer, err := manage(cmd, path, service.ManageRequest{Do: "share", Share: share})
			if err != nil {
				return err
			}
			return cli.ShowInvitation(cmd, answer, asJSON, "this router", "lethe-agent unshare --config "+path)
		},
	}
	configFlag(cmd, &path)
	flags.Add(cmd)
	cli.JSONFlag(cmd, &asJSON)
	return cmd
}

func sharesCommand() *cobra.Command {
	var path string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "shares --config FILE",
		Short: "List who has what of this router",
		Long: `List who has which services of this router, since when, until when, when it was last used
and who shared it; and the invitations that nobody has accepted yet. The agent must be
running.`,
		Example: "  lethe-agent shares --config /etc/lethe/agent.yaml",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			answer, err := manage(cmd, path, service.ManageRequest{Do: "shares"})
			if err != nil {
				return err
			}
			return cli.ShowShares(cmd, answer, asJSON, "nobody has anything of this router; 'lethe-agent pair' and 'lethe-agent share' change that")
		},
	}
	configFlag(cmd, &path)
	cli.JSONFlag(cmd, &asJSON)
	return cmd
}

// unsharedInfo is what was taken back, in --json: one of the two.
type unsharedInfo struct {
	Device     *service.DeviceInfo `json:"device,omitempty"`
	Invitation *service.Invitation `json:"invitation,omitempty"`
}

func unshareCommand() *cobra.Command {
	var path string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "unshare --config FILE NAME",
		Short: "Take back what was shared",
		Long: `Take back an invitation, or the access of the device that has accepted one: its tunnels
end at once. NAME is as 'lethe-agent shares' lists it; if an invitation and a device have
it, the invitation goes first. The agent must be running.`,
		Example: "  lethe-agent unshare --config /etc/lethe/agent.yaml anna",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			answer, err := manage(cmd, path, service.ManageRequest{Do: "unshare", Device: args[0]})
			if err != nil {
				return err
			}
			if asJSON {
				return cli.PrintJSON(cmd, unsharedInfo{answer.Revoked, answer.Invitation})
			}
			what := "revoked "
			if answer.Invitation != nil {
				what += "the invitation " + cli.Printable(answer.Invitation.Name)
			} else {
				what += cli.DeviceName(answer.Revoked)
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), what)
			return err
		},
	}
	configFlag(cmd, &path)
	cli.JSONFlag(cmd, &asJSON)
	return cmd
}
