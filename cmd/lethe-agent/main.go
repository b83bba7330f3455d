// Command lethe-agent is the router's program: it offers the router's services
// to paired devices, through a relay that it need not trust.
package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/internal/cli"
	"github.com/lethe-relay/lethe/tunnel/agent"
)

func main() { os.Exit(cli.Run(command(), cli.TunnelCode)) }

func command() *cobra.Command {
	root := &cobra.Command{
		Use:   "lethe-agent",
		Short: "Offer a router's services to paired devices",
		Long: `lethe-agent runs on a router. It dials out to a relay, and offers the router's
services to paired devices through tunnels that the relay can't read.

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 refused by the relay. A relay that can't
be reached is tried again, for ever.`,
		Example: `  lethe-agent init --dir /etc/lethe --relay 'lethe://relay.example.org:443?pin=…&token=…'
  lethe-agent run --config /etc/lethe/agent.yaml
  lethe-agent pair --config /etc/lethe/agent.yaml`,
	}
	root.AddCommand(initCommand(), runCommand(), pairCommand(), devicesCommand(), revokeCommand(),
		shareCommand(), sharesCommand(), unshareCommand(), pinCommand(), waitingCommand(), approveCommand(),
		logCommand(), exportCommand(), forgetCommand())
	return root
}

func initCommand() *cobra.Command {
	var dir, relayURL string
	cmd := &cobra.Command{
		Use:   "init --dir DIR --relay URL",
		Short: "Write a configuration and a key",
		Long: `Write agent.yaml and router.key into a directory. A directory that has them is left
alone. Take the relay's URL from 'lethe-relay url' there, and put it in quotes.`,
		Example: "  lethe-agent init --dir /etc/lethe --relay 'lethe://relay.example.org:443?pin=…&token=…'",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			relay, err := auth.ParseRelayURL(relayURL)
			if err != nil {
				return err
			}
			if relay.Token.IsZero() {
				return errors.New("the relay's URL has no token: take the whole URL from 'lethe-relay url', and put it in quotes, since shells read & as an end")
			}
			path, err := agent.Init(dir, relay)
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "wrote %s\nnext: put your services into it, then: lethe-agent run --config %s\n", path, path)
			return nil
		},
	}
	cmd.Flags().StringVar(&dir, "dir", "", "directory to write to; made if missing")
	cmd.Flags().StringVar(&relayURL, "relay", "", "the relay's URL, with pin and token")
	cmd.MarkFlagRequired("dir")
	cmd.MarkFlagRequired("relay")
	cmd.MarkFlagDirname("dir")
	return cmd
}

func runCommand() *cobra.Command {
	var path string
	var verbose bool
	cmd := &cobra.Command{
		Use:   "run --config FILE",
		Short: "Run the agent",
		Long: `Run the agent until SIGINT or SIGTERM. It prints a line that begins with "ready" when
the router is registered with the relay, and stays registered from then on. The log
goes to stderr.`,
		Example: "  lethe-agent run --config /etc/lethe/agent.yaml",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := agent.LoadConfig(path)
			if err != nil {
				return err
			}
			a, err := agent.New(cfg, cli.Version(), cli.Logger(verbose))
			if err != nil {
				return err
			}
			ready := func() { fmt.Fprintf(cmd.OutOrStdout(), "ready %s\n", a.RouterID()) }
			return cli.Ended(cmd.Context(), a.Run(cmd.Context(), ready))
		},
	}
	configFlag(cmd, &path)
	cmd.Flags().BoolVarP(&verbose, "verbose", "v", false, "log more")
	return cmd
}

func configFlag(cmd *cobra.Command, path *string) {
	cli.ConfigFlag(cmd, path, "the agent's configuration, agent.yaml")
}
