package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/lethe-relay/lethe/internal/cli"
	"github.com/lethe-relay/lethe/tunnel/agent"
)

func pinCommand() *cobra.Command {
	var path string
	var remove bool
	cmd := &cobra.Command{
		Use:   "pin --config FILE",
		Short: "Set the PIN that lets devices in from new surroundings",
		Long: `Set the PIN that 'lethe confirm' asks for when the router does not know a device's
surroundings. It is asked for twice on a terminal, or read from stdin as one line. Five wrong
PINs lock a device for a while; a new PIN ends that. The agent need not be running.`,
		Example: `  lethe-agent pin --config /etc/lethe/agent.yaml
  lethe-agent pin --config /etc/lethe/agent.yaml --remove`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := agent.LoadConfig(path)
			if err != nil {
				return err
			}
			if remove {
				return done(cmd, "the PIN is removed", cfg.RemovePIN())
			}
			entered, err := askPIN(cmd)
			if err != nil {
				return err
			}
			return done(cmd, "the PIN is set", cfg.SetPIN(entered))
		},
	}
	configFlag(cmd, &path)
	cmd.Flags().BoolVar(&remove, "remove", false, "have no PIN")
	return cmd
}

func done(cmd *cobra.Command, what string, err error) error {
	if err == nil {
		_, err = fmt.Fprintln(cmd.OutOrStdout(), what)
	}
	return err
}

// askPIN asks twice where nobody sees what he types.
func askPIN(cmd *cobra.Command) (string, error) {
	in := cmd.InOrStdin()
	entered, err := cli.AskSecret(cmd.Context(), in, "new PIN: ")
	if f, ok := in.(*os.File); err != nil || !ok || !term.IsTerminal(int(f.Fd())) {
		return entered, err
	}
	again, err := cli.AskSecret(cmd.Context(), in, "once more: ")
	if err == nil && again != entered {
		err = errors.New("these were two PINs: nothing is changed")
	}
	return entered, err
}
