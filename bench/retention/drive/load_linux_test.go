package drive

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/lethe-relay/lethe/bench/proc"
	"github.com/lethe-relay/lethe/bench/retention/canary"
)

// reserve is what a test leaves of its time, to end in order.
const reserve = 15 * time.Second

func TestMain(m *testing.M) {
	if exit, child := proc.Main(os.Args[1:], Parts()); child {
		os.Exit(exit)
	}
	exit := m.Run()
	if err := goleak.Find(); exit == 0 && err != nil {
		fmt.Fprintln(os.Stderr, err)
		exit = 1
	}
	os.Exit(exit)
}

// buildRelay builds the relay as it is in this tree.
func buildRelay(t *testing.T) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "lethe-relay")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "../../../cmd/lethe-relay")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return binary
}

// TestLoad: every way of ending ends every session of its group at the relay,
// for the reason that is its own, and what arrived until then was right.
func TestLoad(t *testing.T) {
	if testing.Short() {
		t.Skip("starts some eight processes")
	}
	r, err := Start(t.Context(), Launch{Binary: buildRelay(t), Dir: t.TempDir(), Lockdown: "off"})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Stop()
	go io.Copy(io.Discard, r.Out)
	go io.Copy(io.Discard, r.Err)
	if err := r.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	s := &stage{ctx: t.Context(), url: r.URL, key: canary.NewKey()}
	full, err := s.openFull(2)
	if err != nil {
		t.Fatal(err)
	}
	defer full.leave()
	for _, way := range []Way{Closed, Erased, RouterKilled} {
		before := endedNow(t, r, way.reason())
		g, err := s.open(way, 6, false)
		if err != nil {
			t.Fatal(way, err)
		}
		defer g.leave()
		carry(t, g)
		if err := g.end(); err != nil {
			t.Fatal(way, err)
		}
		waitFor(t, func() bool { return endedNow(t, r, way.reason()) == before+6 })
		if len(g.wrong) > 0 {
			t.Errorf("%s: %v", way, g.wrong)
		}
	}
	carry(t, full)
}

func endedNow(t *testing.T, r *Relay, reason string) int {
	t.Helper()
	m, err := r.Admin.Metrics(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return m.ended(reason)
}

// carry waits until both kinds of sessions that the group has have carried something.
func carry(t *testing.T, g *group) {
	t.Helper()
	waitFor(t, func() bool {
		if err := g.tally(); err != nil {
			t.Fatal(err)
		}
		bare := g.carried.Checked - g.carried.InTunnel
		return bare > 100*datagramSize && (len(g.children) == 1 || g.carried.InTunnel > 10*chunk)
	})
}

// waitFor waits until it is so, nearly as long as the test may take.
func waitFor(t *testing.T, done func() bool) {
	t.Helper()
	ctx := t.Context()
	if deadline, ok := t.Deadline(); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, deadline.Add(-reserve))
		defer cancel()
	}
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatal("it has not come to pass in the time that the test has")
		}
	}
}
