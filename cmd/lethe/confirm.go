package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/lethe-relay/lethe/internal/cli"
	"github.com/lethe-relay/lethe/internal/wire"
	"github.com/lethe-relay/lethe/tunnel"
	"github.com/lethe-relay/lethe/tunnel/device"
)

// confirmInfo is how a confirmation ended, in --json.
type confirmInfo struct {
	Router    string `json:"router"`
	Confirmed bool   `json:"confirmed"` // false: there was nothing to confirm
}

func confirmCommand(o *options) *cobra.Command {
	var usePIN, askOwner, asJSON bool
	cmd := &cobra.Command{
		Use:   "confirm ROUTER",
		Short: "Confirm new surroundings, so that the router learns them",
		Long: `Confirm the surroundings that this device is in, with the router's PIN or an owner's
approval: the router learns them, and lets this device in from then on. Without a flag it
asks for the PIN, or for an approval from a router that takes no PIN.

The PIN is asked for on the terminal. Without a terminal it is the first line of stdin. An
owner approves with 'lethe approve' on another device; Ctrl-C ends the waiting.`,
		Example:           "  lethe confirm home\n  lethe confirm home --ask-owner",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: o.completeRouter,
		RunE: func(cmd *cobra.Command, args []string) error {
			store, router, err := o.router(args[0])
			if err != nil {
				return err
			}
			link := store.Link(router)
			defer link.Close()
			how := confirmation{router: args[0], in: cmd.InOrStdin(), usePIN: usePIN, askOwner: askOwner}
			confirmed, err := how.confirm(cmd.Context(), link)
			if err != nil {
				return err
			}
			if asJSON {
				return cli.PrintJSON(cmd, confirmInfo{args[0], confirmed})
			}
			said := "%s lets this device in as it is: there was nothing to confirm\n"
			if confirmed {
				said = "confirmed: %s knows these surroundings now\n"
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), said, args[0])
			return err
		},
	}
	cmd.Flags().BoolVar(&usePIN, "pin", false, "ask for the router's PIN")
	cmd.Flags().BoolVar(&askOwner, "ask-owner", false, "wait for an owner's approval")
	cmd.MarkFlagsMutuallyExclusive("pin", "ask-owner")
	cli.JSONFlag(cmd, &asJSON)
	return cmd
}

// confirmation is how a person wants to confirm.
type confirmation struct {
	router           string
	in               io.Reader
	usePIN, askOwner bool
}

// confirm returns false when there was nothing to confirm.
func (c *confirmation) confirm(ctx context.Context, link *device.Link) (bool, error) {
	t, verdict, err := c.ask(ctx, link)
	if err != nil || wordOf(verdict).in() {
		return false, err
	}
	if err := denied(verdict); err != nil {
		return false, err
	}
	pin, what := "", "waiting for an owner: lethe approve "+c.router
	if !c.askOwner && (c.usePIN || verdict.PIN || !verdict.Approval) {
		if pin, err = c.readPIN(ctx); err != nil {
			return false, err
		}
		what = "asking " + c.router
	}
	done := cli.Progress(what)
	err = t.Confirm(ctx, pin)
	done()
	if err != nil {
		return false, c.explain(err)
	}
	if err := link.Kept(); err != nil {
		return false, fmt.Errorf("%s knows these surroundings now, but its fresh grant could not be stored here: %w; mend that and confirm again", c.router, err)
	}
	return true, nil
}

func (c *confirmation) ask(ctx context.Context, link *device.Link) (*tunnel.Tunnel, tunnel.Verdict, error) {
	done := cli.Progress("asking " + c.router)
	defer done()
	t, err := link.Tunnel(ctx)
	if err != nil {
		return nil, tunnel.Verdict{}, err
	}
	verdict, err := firstVerdict(ctx, t)
	return t, verdict, err
}

// readPIN never returns an empty one, which would ask for an approval.
func (c *confirmation) readPIN(ctx context.Context) (string, error) {
	pin, err := cli.AskSecret(ctx, c.in, fmt.Sprintf("PIN of %s: ", c.router))
	if err != nil {
		return "", err
	}
	if !wire.ValidName(pin) {
		return "", fmt.Errorf("a PIN is one line of 1 to %d bytes: type it again", wire.MaxName)
	}
	return pin, nil
}

// explain adds what to do about a refusal that its own sentence leaves open.
func (c *confirmation) explain(err error) error {
	var refused *tunnel.RefusedError
	if !errors.As(err, &refused) {
		return err
	}
	switch wire.Code(refused.Code) {
	case wire.CodePINWrong:
		return fmt.Errorf("%w: try again, or 'lethe confirm %s --ask-owner'", err, c.router)
	case wire.CodePINLocked, wire.CodePINNotSet:
		return fmt.Errorf("%w; 'lethe confirm %s --ask-owner' waits for an owner", err, c.router)
	case wire.CodeNotApproved:
		return fmt.Errorf("%w, or confirm with the PIN: lethe confirm %s --pin", err, c.router)
	case wire.CodeStepUpRequired, wire.CodeEnvDenied:
		return fmt.Errorf("confirmed, but what this device shows is too little even so: 'lethe env %s' shows what is missing (%w)", c.router, err)
	case wire.CodeUnsupported:
		return fmt.Errorf("%w; it takes no confirmation: pair again from here", err)
	}
	return err
}
