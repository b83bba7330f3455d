package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/internal/cli"
	"github.com/lethe-relay/lethe/tunnel"
	"github.com/lethe-relay/lethe/tunnel/device"
	"github.com/lethe-relay/lethe/tunnel/service"
)

// forgotten is how it ended, in --json.
type forgotten struct {
	Forgotten string   `json:"forgotten"`
	File      string   `json:"receipt_file,omitempty"`
	Receipts  receipts `json:"receipts"`
}

func forgetCommand(o *options) *cobra.Command {
	var yes, local, asJSON bool
	var file string
	cmd := &cobra.Command{
		Use:   "forget ROUTER",
		Short: "Have all erased that is held about this device",
		Long: `Withdraw: have the router and its relay erase all that they hold about this device, and
then erase the router's files here. With the last router goes this device's key.

Both sign that they have erased it. The receipts are checked, and written to a file before
anything is removed here. When one of the two can't be reached, nothing is removed here;
--local removes it without asking them.`,
		Example:           "  lethe forget home\n  lethe forget home --yes --receipt receipts/home.json",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: o.completeRouter,
		RunE: func(cmd *cobra.Command, args []string) error {
			name := args[0]
			if file == "" {
				file = "lethe-forgotten-" + name + ".json"
			}
			store, err := o.open()
			if err != nil {
				return err
			}
			if _, err := store.Router(name); err != nil && (!local || errors.Is(err, device.ErrUnknownRouter)) {
				return err
			}
			if err := sure(cmd, yes, name); err != nil {
				return err
			}
			if local {
				file = ""
			}
			kept, err := forget(cmd.Context(), store, name, file)
			if err != nil {
				return err
			}
			if local {
				fmt.Fprintln(cmd.ErrOrStderr(), "router and relay were not told: 'lethe-agent revoke' takes this device off the router's list")
			}
			if asJSON {
				return cli.PrintJSON(cmd, forgotten{name, file, kept})
			}
			return printForgotten(cmd, name, file, kept)
		},
	}
	cmd.Flags().BoolVar(&yes, "yes", false, "don't ask")
	cmd.Flags().BoolVar(&local, "local", false, "remove what is here, and ask nobody")
	cmd.Flags().StringVar(&file, "receipt", "", "file for the receipts (default lethe-forgotten-ROUTER.json)")
	cmd.MarkFlagFilename("receipt", "json")
	cmd.MarkFlagsMutuallyExclusive("local", "receipt")
	cli.JSONFlag(cmd, &asJSON)
	return cmd
}

func sure(cmd *cobra.Command, yes bool, name string) error {
	if yes {
		return nil
	}
	ok, err := cli.AskYes(cmd.Context(), cmd.InOrStdin(),
		fmt.Sprintf("Erase all that %s, its relay and this device hold about each other? There is no way back but to pair again.", name), "--yes")
	if err == nil && !ok {
		err = errors.New("nothing was erased")
	}
	return err
}

// forget has router and relay erase what they hold, in this order, and keeps
// their receipts in file, before it erases what is here. Without a file it asks
// nobody.
func forget(ctx context.Context, store *device.Store, name, file string) (kept receipts, err error) {
	if file != "" {
		router, err := store.Router(name)
		if err != nil {
			return kept, err
		}
		if kept, err = withdraw(ctx, store, router, file); err != nil {
			return kept, fmt.Errorf("%w; nothing was removed here ('lethe forget --local %s' would)", err, name)
		}
	}
	return kept, store.Forget(name)
}

// withdraw asks both. Each receipt is written as soon as it is there, so that an
// attempt that fails half-way can be made again.
func withdraw(ctx context.Context, store *device.Store, router *device.Router, file string) (receipts, error) {
	about := erasureOf(router, store.Identity())
	kept, err := loadReceipts(file, about)
	if err != nil {
		return kept, err
	}
	if err := tryReceipts(file); err != nil {
		return kept, err
	}
	receipt, err := askRouter(ctx, store, router, about)
	switch {
	case errors.Is(err, &tunnel.RefusedError{Code: "grant_revoked"}) && kept.Router != nil:
		// it has erased everything at the last attempt
	case err != nil:
		return kept, err
	default:
		kept.Router = receipt
	}
	if err := kept.write(file); err != nil {
		return kept, err
	}
	if kept.Relay, err = askRelay(ctx, store, router, about); err != nil {
		return kept, fmt.Errorf("the router has erased what it held (its receipt is in %s), but the relay has not: %w", file, err)
	}
	return kept, kept.write(file)
}

func askRouter(ctx context.Context, store *device.Store, router *device.Router, about erasure) (*auth.Receipt, error) {
	link := store.Link(router)
	defer link.Close()
	answer, err := ask(ctx, link, router.Name, service.NameForget, service.ManageRequest{Do: "forget"})
	if err != nil {
		return nil, err
	}
	return answer.Receipt, about.checkRouter(answer.Receipt)
}

func askRelay(ctx context.Context, store *device.Store, router *device.Router, about erasure) (*auth.Receipt, error) {
	done := cli.Progress("asking the relay")
	defer done()
	held, err := tunnel.Inspect(ctx, tunnel.RelayConfig{Identity: store.Identity(), Relay: router.Relay}, router.ID, true)
	if err != nil {
		return nil, err
	}
	return held.Receipt, about.checkRelay(held.Receipt)
}

func printForgotten(cmd *cobra.Command, name, file string, kept receipts) error {
	out := cmd.OutOrStdout()
	if kept.Router != nil {
		fmt.Fprintf(out, "%s has erased: %s\n", name, words(kept.Router))
		fmt.Fprintf(out, "its relay has erased: %s\n", words(kept.Relay))
		fmt.Fprintf(out, "their signed receipts are in %s\n", file)
	}
	_, err := fmt.Fprintf(out, "forgot %s\n", name)
	return err
}

// words are what a checked receipt lists.
func words(r *auth.Receipt) string {
	if len(r.Erased) == 0 {
		return "nothing, since it held nothing"
	}
	return strings.Join(r.Erased, ", ")
}
