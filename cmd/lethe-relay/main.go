// Command lethe-relay is the relay: it carries tunnels between devices and
// routers, and can't read them.
package main

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/lethe-relay/lethe/internal/cli"
	"github.com/lethe-relay/lethe/internal/lockdown"
	"github.com/lethe-relay/lethe/internal/telemetry"
	"github.com/lethe-relay/lethe/relay"
)

func main() { os.Exit(cli.Run(command(), nil)) }

func command() *cobra.Command {
	root := &cobra.Command{
		Use:   "lethe-relay",
		Short: "Carry tunnels between devices and home routers",
		Long: `lethe-relay carries tunnels between devices and home routers. Everything in a
tunnel is encrypted from end to end: the relay forwards it and forgets it.

Exit codes: 0 done, 1 failed, 2 wrong usage.`,
		Example: `  lethe-relay init --dir /etc/lethe --listen '[::]:443' --public relay.example.org:443
  lethe-relay run --config /etc/lethe/relay.yaml
  lethe-relay url --config /etc/lethe/relay.yaml
  lethe-relay status --config /etc/lethe/relay.yaml
  lethe-relay doctor --config /etc/lethe/relay.yaml
  lethe-relay explain 192.0.2.1 --config /etc/lethe/relay.yaml`,
	}
	root.AddCommand(initCommand(), runCommand(), urlCommand(), statusCommand(), explainCommand(), doctorCommand())
	return root
}

func initCommand() *cobra.Command {
	var dir, public string
	listen := addrFlag(relay.DefaultListen)
	cmd := &cobra.Command{
		Use:   "init --dir DIR",
		Short: "Write a configuration and a key",
		Long: `Write relay.yaml, relay.key and an enrolment token into a directory.
A directory that has them is left alone.`,
		Example: "  lethe-relay init --dir /etc/lethe --listen '[::]:443' --public relay.example.org:443",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			path, err := relay.Init(dir, netip.AddrPort(listen), public)
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "wrote %s\nnext: lethe-relay run --config %s\n", path, path)
			return nil
		},
	}
	cmd.Flags().StringVar(&dir, "dir", "", "directory to write to; made if missing")
	cmd.Flags().Var(&listen, "listen", "UDP address to listen on")
	cmd.Flags().StringVar(&public, "public", "", "HOST:PORT that agents and devices dial; default: the listen address, or one of this machine's")
	cmd.MarkFlagRequired("dir")
	cmd.MarkFlagDirname("dir")
	return cmd
}

func runCommand() *cobra.Command {
	var path string
	var verbose bool
	cmd := &cobra.Command{
		Use:   "run --config FILE",
		Short: "Run the relay",
		Long: `Run the relay until SIGINT or SIGTERM. It prints the URL that routers are enrolled
with, which is a secret, and a line that begins with "ready" when it serves. The log
goes to stderr. On SIGHUP it reads its certificate again, if that is from files.

With lockdown: require in relay.yaml it gives up, before its first packet, all that
it could keep or pass on payload with, and does not start where the kernel can't hold
that. stdout and stderr must not be files then: pipe them to a logger.`,
		Example: "  lethe-relay run --config /etc/lethe/relay.yaml",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := relay.LoadConfig(path)
			if err != nil {
				return err
			}
			warn := func(sentence string) { fmt.Fprintf(cmd.ErrOrStderr(), "lethe-relay: warning: %s\n", sentence) }
			if err := lockdown.Environment(cfg.Lockdown, warn); err != nil {
				return err
			}
			if cfg.Lockdown != lockdown.Off {
				cli.DieQuietly()
			}
			r, err := relay.New(cfg, cli.Version(), telemetry.New(cli.Logger(verbose)))
			if err != nil {
				return err
			}
			cli.OnHangup(cmd.Context(), func() { r.Reload() }) // the log says what came of it
			return cli.Ended(cmd.Context(), r.Run(cmd.Context(), func() {
				fmt.Fprintf(cmd.OutOrStdout(), "url %s\nready %s\n", r.URL(), r.Addr())
			}))
		},
	}
	configFlag(cmd, &path)
	cmd.Flags().BoolVarP(&verbose, "verbose", "v", false, "log more")
	return cmd
}

func urlCommand() *cobra.Command {
	var path string
	cmd := &cobra.Command{
		Use:     "url --config FILE",
		Short:   "Print the URL that routers are enrolled with",
		Long:    "Print the URL that 'lethe-agent init --relay' takes. It holds the enrolment token: keep it to yourself.",
		Example: "  lethe-relay url --config /etc/lethe/relay.yaml",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := relay.LoadConfig(path)
			if err != nil {
				return err
			}
			url, err := cfg.URL()
			if err != nil {
				return err
			}
			fmt.Fprintln(cmd.OutOrStdout(), url)
			return nil
		},
	}
	configFlag(cmd, &path)
	return cmd
}

func configFlag(cmd *cobra.Command, path *string) {
	cli.ConfigFlag(cmd, path, "the relay's configuration, relay.yaml")
}

// addrFlag is a HOST:PORT flag, whose host is looked up once.
type addrFlag netip.AddrPort

// String implements [pflag.Value].
func (a addrFlag) String() string { return netip.AddrPort(a).String() }

// Type implements [pflag.Value].
func (addrFlag) Type() string { return "HOST:PORT" }

// Set implements [pflag.Value]. ":443" stands for all addresses.
func (a *addrFlag) Set(s string) error {
	if strings.HasPrefix(s, ":") {
		s = "[::]" + s
	}
	addr, err := net.ResolveUDPAddr("udp", s)
	if err != nil {
		return errors.New(`it must be an address of this machine with a port, such as "[::]:443" or "192.0.2.1:443"`)
	}
	*a = addrFlag(netip.AddrPortFrom(addr.AddrPort().Addr().Unmap(), uint16(addr.Port)))
	return nil
}
