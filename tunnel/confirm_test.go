package tunnel_test

import (
	"bytes"
	"context"
	"errors"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lethe-relay/lethe/auth/ecv"
	"github.com/lethe-relay/lethe/internal/wire"
	"github.com/lethe-relay/lethe/tunnel"
)

// confirmBench is a router that wants every device confirmed, and what it is asked.
type confirmBench struct {
	*world
	tun     *tunnel.Tunnel
	asked   chan string        // the PIN of each attempt
	decide  chan tunnel.Ruling // an owner's word
	gaveUp  chan struct{}      // an attempt that was given up
	running atomic.Int32       // attempts
	renewed chan []byte
}

const (
	rightPIN  = "918273"
	lockedPIN = "000000"
)

func newConfirmBench(t *testing.T) *confirmBench {
	t.Helper()
	b := &confirmBench{
		world: newWorld(t), asked: make(chan string, 100), decide: make(chan tunnel.Ruling),
		gaveUp: make(chan struct{}, 100), renewed: make(chan []byte, 10),
	}
	judging := newCourt(homeOnly(t)).judging()
	judging.Confirm = b.confirm
	b.listen(tunnel.ListenConfig{Judging: judging}, handlers{"echo": echo})
	cfg := b.dialFrom(&surroundings{here: atCafe(t)})
	cfg.Renewed = func(grant []byte) { b.renewed <- grant }
	b.tun = b.dialWith(cfg)
	return b
}

func (b *confirmBench) confirm(ctx context.Context, on tunnel.Case, pin string) (tunnel.Ruling, error) {
	if b.running.Add(1) > 1 {
		b.t.Error("two attempts at once")
	}
	defer b.running.Add(-1)
	if n := on.Evidence.WiFi; n == nil || n.SSID != atCafe(b.t).WiFi.SSID {
		b.t.Errorf("to be confirmed is %+v", on.Evidence)
	}
	b.asked <- pin
	switch pin {
	case rightPIN:
		return confirmed(ecv.Allow), nil
	case lockedPIN:
		return tunnel.Ruling{}, &tunnel.RefusedError{Code: "pin_locked", RetryAfter: time.Minute}
	case "broken":
		return tunnel.Ruling{}, errors.New("the disk is full")
	case "":
		return b.wait(ctx)
	}
	return tunnel.Ruling{}, &tunnel.RefusedError{Code: "pin_wrong", RetryAfter: -time.Second}
}

func (b *confirmBench) wait(ctx context.Context) (tunnel.Ruling, error) {
	select {
	case r := <-b.decide:
		return r, nil
	case <-ctx.Done():
		b.gaveUp <- struct{}{}
		return tunnel.Ruling{}, &tunnel.RefusedError{Code: "not_approved"}
	}
}

func confirmed(v ecv.Verdict, reasons ...ecv.Reason) tunnel.Ruling {
	r := ruled(v, reasons...)
	r.Grant = []byte("a fresh grant")
	return r
}

// ask begins to ask for an approval, and returns when the router knows of it.
func (b *confirmBench) ask(ctx context.Context) <-chan error {
	done := make(chan error, 1)
	go func() { done <- b.tun.Confirm(ctx, "") }()
	if pin := b.nextAsked(); pin != "" {
		b.t.Errorf("asked for %q", pin)
	}
	return done
}

func (b *confirmBench) nextAsked() string {
	b.t.Helper()
	select {
	case pin := <-b.asked:
		return pin
	case <-time.After(patience):
		b.t.Fatal("the router was not asked")
		return ""
	}
}

func (b *confirmBench) wantRenewed() {
	b.t.Helper()
	select {
	case grant := <-b.renewed:
		if !bytes.Equal(grant, []byte("a fresh grant")) {
			b.t.Errorf("got %q", grant)
		}
	default:
		b.t.Error("confirmed without a grant")
	}
}

// within is how a question ends.
func within(t testing.TB, done <-chan error) error {
	t.Helper()
	select {
	case err := <-done:
		return err
	case <-time.After(patience):
		t.Fatal("no answer")
		return nil
	}
}

func TestConfirmPIN(t *testing.T) {
	b := newConfirmBench(t)
	wantRefusal(t, b.tun.Confirm(b.context(), "000001"), "router", "pin_wrong")
	err := b.tun.Confirm(b.context(), lockedPIN)
	wantRefusal(t, err, "router", "pin_locked")
	if refused, ok := err.(*tunnel.RefusedError); !ok || refused.RetryAfter != time.Minute {
		t.Errorf("%#v, want it to say when to try again", err)
	}
	wantRefusal(t, b.tun.Confirm(b.context(), "broken"), "router", "internal")
	var field *wire.FieldError
	if err := b.tun.Confirm(b.context(), "1\n"); !errors.As(err, &field) {
		t.Errorf("a PIN that can't be one: %v", err)
	}
	if err := b.tun.Confirm(b.context(), rightPIN); err != nil {
		t.Fatal(err)
	}
	b.wantRenewed()
	// The tunnel stays what it is: the relay may have limited it, and knows nothing of this.
	wantRefusal(t, b.answerOf(b.tun, "echo"), "router", "step_up_required")
	if v, err := b.tun.Verdict(b.context()); err != nil || v.Verdict != ecv.StepUp {
		t.Errorf("the tunnel's verdict is %v, %v", v.Verdict, err)
	}
}

// TestConfirmNothing: a router that confirms nobody says so.
func TestConfirmNothing(t *testing.T) {
	w := newWorld(t)
	w.listen(tunnel.ListenConfig{}, handlers{"echo": echo})
	wantRefusal(t, w.dial().Confirm(w.context(), rightPIN), "router", "unsupported")
}

// TestConfirmApproval: an approval takes as long as the owner does, and the tunnel does everything else meanwhile.
func TestConfirmApproval(t *testing.T) {
	b := newConfirmBench(t)
	done := b.ask(b.context())
	if err := b.tun.ShowEvidence(b.context()); err != nil {
		t.Error(err)
	}
	wantRefusal(t, b.answerOf(b.tun, "echo"), "router", "step_up_required")
	select {
	case err := <-done:
		t.Fatalf("decided without the owner: %v", err)
	default:
	}
	b.decide <- confirmed(ecv.Allow)
	if err := within(t, done); err != nil {
		t.Error(err)
	}
	b.wantRenewed()
}

// TestConfirmIsNotEnough: a person may confirm what the policy does not allow all the same.
func TestConfirmIsNotEnough(t *testing.T) {
	b := newConfirmBench(t)
	done := b.ask(b.context())
	b.decide <- confirmed(ecv.StepUp, ecv.MandatoryMissing)
	wantReasons(t, within(t, done), "router", "step_up_required", ecv.MandatoryMissing)
	b.wantRenewed()
}

// TestConfirmGivenUp: who gives up is forgotten by the router, and gets no answer that was for the next question.
func TestConfirmGivenUp(t *testing.T) {
	b := newConfirmBench(t)
	for range 3 {
		ctx, cancel := context.WithCancel(b.context())
		done := b.ask(ctx)
		cancel()
		if err := within(t, done); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want context.Canceled", err)
		}
		select {
		case <-b.gaveUp:
		case <-time.After(patience):
			t.Fatal("the router still waits for the owner")
		}
		wantRefusal(t, b.tun.Confirm(b.context(), "000001"), "router", "pin_wrong")
		b.nextAsked()
	}
	ctx, cancel := context.WithCancel(b.context())
	cancel()
	if err := b.tun.Confirm(ctx, rightPIN); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
	if err := b.tun.Confirm(b.context(), rightPIN); err != nil {
		t.Error(err)
	}
}

// TestConfirmAgain: a second question ends the first, also if its device still waits.
func TestConfirmAgain(t *testing.T) {
	b := newConfirmBench(t)
	first := b.ask(b.context())
	second := b.ask(b.context())
	wantRefusal(t, within(t, first), "router", "not_approved")
	b.decide <- confirmed(ecv.Allow)
	if err := within(t, second); err != nil {
		t.Error(err)
	}
}

// TestConfirmClosed: a tunnel that ends takes its questions with it, whoever ends it.
func TestConfirmClosed(t *testing.T) {
	b := newConfirmBench(t)
	done := b.ask(b.context())
	b.tun.Close()
	if err := within(t, done); !errors.Is(err, net.ErrClosed) {
		t.Errorf("got %v, want net.ErrClosed", err)
	}
	<-b.gaveUp
	if err := b.tun.Confirm(b.context(), ""); !errors.Is(err, net.ErrClosed) {
		t.Errorf("got %v, want net.ErrClosed", err)
	}
}

// TestConfirmDisconnected: the router's Close does not wait for an owner.
func TestConfirmDisconnected(t *testing.T) {
	w := newWorld(t)
	asked := make(chan struct{})
	judging := newCourt(always(ecv.StepUp)).judging()
	judging.Confirm = func(ctx context.Context, _ tunnel.Case, _ string) (tunnel.Ruling, error) {
		close(asked)
		<-ctx.Done()
		return tunnel.Ruling{}, ctx.Err()
	}
	l := w.listen(tunnel.ListenConfig{Judging: judging}, nil)
	tun, done := w.dial(), make(chan error, 1)
	go func() { done <- tun.Confirm(w.context(), "") }()
	<-asked
	l.Close()
	wantRefusal(t, within(t, done), "router", "shutting_down")
}

// TestConfirmWorse: a verdict that gets worse while the owner thinks ends the question.
func TestConfirmWorse(t *testing.T) {
	w := newWorld(t)
	var denied atomic.Bool
	c := newCourt(func(tunnel.Case) tunnel.Ruling {
		if denied.Load() {
			return ruled(ecv.Deny, ecv.ImpossibleTravel)
		}
		return ruled(ecv.StepUp, ecv.ScoreLow)
	})
	judging, asked := c.judging(), make(chan struct{})
	judging.Confirm = func(ctx context.Context, _ tunnel.Case, _ string) (tunnel.Ruling, error) {
		close(asked)
		<-ctx.Done()
		return tunnel.Ruling{}, ctx.Err()
	}
	w.listen(tunnel.ListenConfig{Judging: judging}, nil)
	tun, done := w.dialWith(w.dialFrom(&surroundings{})), make(chan error, 1)
	go func() { done <- tun.Confirm(w.context(), "") }()
	<-asked
	denied.Store(true)
	if err := tun.ShowEvidence(w.context()); err != nil {
		t.Fatal(err)
	}
	wantReasons(t, within(t, done), "router", "env_denied", ecv.ImpossibleTravel)
}
