package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/spf13/cobra"
)

// Exit codes; see the package documentation.
const (
	ExitDone        = 0
	ExitFailed      = 1
	ExitUsage       = 2
	ExitRefused     = 3
	ExitUnreachable = 4
)

// Run executes the command that the process's arguments name and returns the
// exit code. codeOf sorts the program's own errors; it returns ExitFailed for
// those that it does not know. Nil sorts none.
func Run(root *cobra.Command, codeOf func(error) int) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // the second signal has its usual effect

	started := false // the arguments were right
	root.PersistentPreRun = func(*cobra.Command, []string) { started = true }
	root.SilenceErrors, root.SilenceUsage = true, true
	root.DisableSuggestions = true // they would make several lines of the one sentence
	root.Version = Version()

	cmd, err := root.ExecuteContextC(ctx)
	var usage *UsageError
	switch {
	case err == nil:
		return ExitDone
	case !started || errors.As(err, &usage) || checkFlags(cmd) != nil:
		fmt.Fprintf(os.Stderr, "%s: %v; see '%s --help'\n", root.Name(), err, cmd.CommandPath())
		return ExitUsage
	}
	if ctx.Err() != nil && (errors.Is(err, context.Canceled) || errors.Is(err, context.Cause(ctx))) {
		fmt.Fprintf(os.Stderr, "%s: interrupted\n", root.Name())
		return ExitFailed
	}
	fmt.Fprintf(os.Stderr, "%s: %s\n", root.Name(), sentence(err))
	if codeOf == nil {
		return ExitFailed
	}
	return codeOf(err)
}

// checkFlags repeats what cobra checks later than arguments.
func checkFlags(cmd *cobra.Command) error {
	return errors.Join(cmd.ValidateRequiredFlags(), cmd.ValidateFlagGroups())
}

// Version is the module's version, or the commit that the program was built from.
func Version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			return s.Value[:min(len(s.Value), 12)]
		}
	}
	return "devel"
}

// Logger logs to stderr, from level info on, or debug if verbose.
func Logger(verbose bool) *slog.Logger {
	level := slog.LevelInfo
	if verbose {
		level = slog.LevelDebug
	}
	return slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: level}))
}

// Ended tells an end by signal, which is no error, from a failure.
func Ended(ctx context.Context, err error) error {
	if ctx.Err() != nil && (errors.Is(err, context.Canceled) || errors.Is(err, net.ErrClosed)) {
		return nil
	}
	return err
}
