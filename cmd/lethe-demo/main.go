// Command lethe-demo shows all of Lethe in one process: relay, router and device.
package main

import (
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/lethe-relay/lethe/internal/cli"
	"github.com/lethe-relay/lethe/internal/demo"
)

func main() {
	signal.Ignore(syscall.SIGPIPE) // a closed pipe is an error like others, so that the files are removed
	os.Exit(cli.Run(command(), cli.TunnelCode))
}

func command() *cobra.Command {
	var once, asJSON, verbose bool
	cmd := &cobra.Command{
		Use:   "lethe-demo",
		Short: "See a relay, a router and a device work together",
		Long: `lethe-demo runs a relay, a router with a small admin page, and a device, all real, in
one process on loopback sockets. It pairs device and router, opens a tunnel, and prints
a URL to open in a browser. Beside it stands what the relay sees: ciphertext, and how
much of it. It keeps nothing: its files are temporary and removed at the end. But the
kernel does not hold this relay to that (lockdown), since it shares its process.

With --once it fetches the page, moves 256 MiB each way with checksums, looks for the
page's secret in every datagram, prints a summary, and ends.

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 refused by relay or router, 4 relay or
router can't be reached.`,
		Example: `  lethe-demo
  lethe-demo --once
  lethe-demo --once --json`,
		Args: func(cmd *cobra.Command, args []string) error {
			if asJSON && !once {
				return errors.New("--json is about the summary of --once: give both")
			}
			return cobra.NoArgs(cmd, args)
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg := demo.Config{Version: cli.Version(), Log: slog.New(slog.DiscardHandler), Progress: cli.Progress}
			if verbose {
				cfg.Log = cli.Logger(true)
			}
			run := live
			if once {
				run = summary(asJSON)
			}
			return cli.Ended(cmd.Context(), run(cmd, cfg))
		},
	}
	cmd.Flags().BoolVar(&once, "once", false, "move 256 MiB each way, print a summary, and end")
	cmd.Flags().BoolVar(&asJSON, "json", false, "with --once: print the summary as JSON")
	cmd.Flags().BoolVarP(&verbose, "verbose", "v", false, "show the log of relay and agent")
	return cmd
}

func live(cmd *cobra.Command, cfg demo.Config) error {
	return demo.Live(cmd.Context(), cfg, cmd.OutOrStdout())
}

func summary(asJSON bool) func(*cobra.Command, demo.Config) error {
	return func(cmd *cobra.Command, cfg demo.Config) error {
		sum, err := demo.Once(cmd.Context(), cfg, demo.DefaultBytes)
		if err != nil {
			return err
		}
		if asJSON {
			return json.NewEncoder(cmd.OutOrStdout()).Encode(sum)
		}
		return sum.Print(cmd.OutOrStdout())
	}
}
