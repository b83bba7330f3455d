package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/lethe-relay/lethe/auth/ecv"
	"github.com/lethe-relay/lethe/internal/cli"
	"github.com/lethe-relay/lethe/internal/wire"
	"github.com/lethe-relay/lethe/tunnel"
)

const (
	verdictTime = 15 * time.Second // for a router's first verdict
	barCells    = 10               // of a score bar
)

// word is what router or relay say of the surroundings. It holds no values.
type word struct {
	By       string       `json:"by"`
	Verdict  string       `json:"verdict"`        // allow, step_up or deny
	Code     string       `json:"code,omitempty"` // of a refusal
	Score    uint16       `json:"score"`
	Needed   uint16       `json:"needed"`
	Reasons  []ecv.Reason `json:"reasons"`
	PIN      bool         `json:"pin"` // the confirmations that the router takes
	Approval bool         `json:"approval"`
	Withheld []string     `json:"withheld"` // services that want one
}

func wordOf(v tunnel.Verdict) *word {
	return &word{
		By: "router", Verdict: v.Verdict.String(), Score: v.Score, Needed: v.Needed,
		Reasons: append([]ecv.Reason{}, v.Reasons...), PIN: v.PIN, Approval: v.Approval,
		Withheld: append([]string{}, v.Withheld...),
	}
}

// refusalWord is the word behind a refusal of the session; nil for other errors.
func refusalWord(err error) *word {
	var refused *tunnel.RefusedError
	if !errors.As(err, &refused) {
		return nil
	}
	return &word{By: refused.By, Verdict: ecv.Deny.String(), Code: refused.Code, Reasons: append([]ecv.Reason{}, refused.Reasons...), Withheld: []string{}}
}

// firstVerdict waits for a router's first word in a tunnel.
func firstVerdict(ctx context.Context, t *tunnel.Tunnel) (tunnel.Verdict, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, verdictTime, errors.New("the router has not judged these surroundings in time: try again"))
	defer cancel()
	return t.Verdict(ctx)
}

// denied is a router's verdict as the refusal that it is; nil if it is none.
func denied(v tunnel.Verdict) error {
	if v.Verdict != ecv.Deny {
		return nil
	}
	return &tunnel.RefusedError{By: "router", Code: string(wire.CodeEnvDenied), Reasons: v.Reasons}
}

// print prints the word; p is the policy, if the grant has one.
func (w *word) print(out io.Writer, p *ecv.Policy) {
	fmt.Fprintf(out, "The %s %s.\n", w.By, w.text())
	switch {
	case w.Needed > 0 && len(w.Reasons) > 0:
		fmt.Fprintf(out, "score %d of %d%s\n", w.Score, w.Needed, bar(w.Score, p))
	case w.Needed > 0 && w.Verdict == ecv.Allow.String():
		fmt.Fprintln(out, "It learns what a device shows in its first session, within an hour of the pairing.")
	}
	for _, r := range w.Reasons {
		fmt.Fprintf(out, "  %s %s\n", reasonMark(r), cli.ReasonText(r))
	}
	if w.Verdict == ecv.Allow.String() && len(w.Withheld) > 0 {
		fmt.Fprintf(out, "  %s to be confirmed first: %s\n", mark(false), cli.Printable(strings.Join(w.Withheld, ", ")))
	}
}

func (w *word) text() string {
	switch {
	case w.Code != "" && w.Code != string(wire.CodeEnvDenied):
		return "refuses, and not for the surroundings (" + w.Code + ")"
	case w.in():
		return "lets this device in"
	case w.Verdict == ecv.Allow.String():
		return "lets this device in, but not to everything"
	case w.Verdict == ecv.StepUp.String():
		return "wants a step-up: these surroundings must be confirmed first"
	}
	return "refuses this device in these surroundings"
}

// in tells whether the device gets at everything that its grant is for.
func (w *word) in() bool { return w.Verdict == ecv.Allow.String() && len(w.Withheld) == 0 }

// bar draws a score, behind a space, among what all features weigh; without a policy nobody knows
// that.
func bar(score uint16, p *ecv.Policy) string {
	if p == nil || total(p) == 0 {
		return ""
	}
	full := min(int(score)*barCells/int(total(p)), barCells)
	return " " + strings.Repeat("█", full) + strings.Repeat("░", barCells-full)
}

func mark(good bool) string {
	if good {
		return "✓"
	}
	return "✗"
}

func reasonMark(r ecv.Reason) string {
	_, state, ok := cli.ReasonState(r)
	if ok && state == ecv.Missing {
		return "–"
	}
	return mark(ok && state == ecv.Matched)
}
