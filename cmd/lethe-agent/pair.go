package main

import (
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/lethe-relay/lethe/internal/cli"
	"github.com/lethe-relay/lethe/tunnel/agent"
)

func pairCommand() *cobra.Command {
	var path string
	var wait, asJSON bool
	cmd := &cobra.Command{
		Use:   "pair --config FILE",
		Short: "Show a QR code and a URI to pair a device with",
		Long: `Show a QR code and a URI for 'lethe pair' on a device. It works once, for ten minutes,
and a new one ends the one before. The agent must be running.`,
		Example: `  lethe-agent pair --config /etc/lethe/agent.yaml
  lethe-agent pair --config /etc/lethe/agent.yaml --wait`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := agent.LoadConfig(path)
			if err != nil {
				return err
			}
			show := showPairing
			if asJSON {
				show = printPairing
			}
			err = cfg.Pair(cmd.Context(), wait, func(e agent.PairingEvent) error {
				return show(cmd.OutOrStdout(), e)
			})
			return cli.Ended(cmd.Context(), err)
		},
	}
	configFlag(cmd, &path)
	cmd.Flags().BoolVar(&wait, "wait", false, "stay until a device has paired, or the URI has expired")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON, one object a line")
	return cmd
}

// printPairing leaves the & of the URI as it is, for scripts that cut it out.
func printPairing(w io.Writer, e agent.PairingEvent) error {
	out := json.NewEncoder(w)
	out.SetEscapeHTML(false)
	return out.Encode(e)
}

func showPairing(w io.Writer, e agent.PairingEvent) error {
	if e.Paired {
		_, err := fmt.Fprintf(w, "paired with %q\n", e.Device)
		return err
	}
	cli.PrintQR(w, e.URI)
	_, err := fmt.Fprintf(w, "\n%s\n\nOn the device, until %s: lethe pair 'URI'\n", e.URI, e.Expires.Local().Format(time.TimeOnly))
	return err
}
