package tunnel_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/lethe-relay/lethe/auth/ecv"
	"github.com/lethe-relay/lethe/internal/wire"
	"github.com/lethe-relay/lethe/tunnel"
)

// impatient is the router's Listen with a grace and a step-up time of the test.
func (w *world) impatient(cfg tunnel.ListenConfig, grace, stepUp time.Duration, h handlers) *tunnel.Listener {
	w.t.Helper()
	cfg.Identity, cfg.Relay = w.router, w.url
	l, err := tunnel.ListenImpatient(w.context(), cfg, grace, stepUp)
	if err != nil {
		w.t.Fatal(err)
	}
	w.serve(l, h)
	return l
}

// TestVerdicts: what the device is told, and what a stream gets.
func TestVerdicts(t *testing.T) {
	for verdict, code := range map[ecv.Verdict]string{ecv.Allow: "", ecv.StepUp: "step_up_required", ecv.Deny: "env_denied"} {
		t.Run(verdict.String(), func(t *testing.T) {
			w := newWorld(t)
			ruling := ruled(verdict, "wifi_unknown", ecv.ScoreLow)
			ruling.Approval = true
			w.listen(tunnel.ListenConfig{Judging: newCourt(func(tunnel.Case) tunnel.Ruling { return ruling }).judging()}, handlers{"echo": echo})
			tun := w.dialWith(w.dialFrom(&surroundings{here: atHome(t)}))
			err := w.answerOf(tun, "echo")
			if code == "" && err != nil {
				t.Error(err)
			}
			if code != "" {
				wantReasons(t, err, "router", code, "wifi_unknown", ecv.ScoreLow)
			}
			got, err := tun.Verdict(w.context())
			if err != nil || got.Verdict != verdict || got.Score != 40 || got.Needed != 60 || !got.PIN || !got.Approval ||
				!slices.Equal(got.Reasons, ruling.Reasons) {
				t.Errorf("%+v, %v", got, err)
			}
		})
	}
}

// TestDenied: a tunnel that is denied ends by itself, when its device has had the time to read why.
func TestDenied(t *testing.T) {
	t.Parallel() // it mostly waits
	w := newWorld(t)
	l := w.listen(tunnel.ListenConfig{Judging: newCourt(always(ecv.Deny, "geo_unknown")).judging()}, handlers{"echo": echo})
	tun := w.dialWith(w.dialFrom(nil))
	wantEnd(t, tun, patience, "env_denied", "geo_unknown")
	_, err := tun.Open(w.context(), "echo")
	wantReasons(t, err, "router", "env_denied", "geo_unknown")
	eventually(t, "the end", func() bool { return l.Sessions() == 0 })
}

// TestServices: each service is judged by its own demand.
func TestServices(t *testing.T) {
	w := newWorld(t)
	w.listen(tunnel.ListenConfig{Judging: newCourt(func(tunnel.Case) tunnel.Ruling {
		r := ruled(ecv.StepUp, ecv.ScoreLow)
		r.Services = map[string]ecv.Verdict{"status": ecv.Allow, "safe": ecv.Deny}
		return r
	}).judging()}, handlers{"status": echo, "safe": echo, "ssh": echo})
	tun := w.dialWith(w.dialFrom(nil))
	if err := w.answerOf(tun, "status"); err != nil {
		t.Error(err)
	}
	wantReasons(t, w.answerOf(tun, "safe"), "router", "env_denied", ecv.ScoreLow)
	wantReasons(t, w.answerOf(tun, "ssh"), "router", "step_up_required", ecv.ScoreLow)
}

// TestGrantFirst: no verdict helps a service that the grant does not name.
func TestGrantFirst(t *testing.T) {
	w := newWorld(t)
	w.listen(tunnel.ListenConfig{Judging: newCourt(always(ecv.StepUp)).judging()}, handlers{"ssh": echo})
	cfg := w.dialConfig()
	cfg.Router.Grant = w.grant(w.device.PublicKey(), time.Hour, "echo")
	wantRefusal(t, w.answerOf(w.dialWith(cfg), "ssh"), "router", "service_not_granted")
}

// TestRenewed: a fresh grant reaches the device, even one that closes its tunnel at once.
func TestRenewed(t *testing.T) {
	w := newWorld(t)
	fresh := bytes.Repeat([]byte{7}, 3000)
	w.listen(tunnel.ListenConfig{Judging: newCourt(func(tunnel.Case) tunnel.Ruling {
		r := ruled(ecv.Allow)
		r.Grant = fresh
		return r
	}).judging()}, nil)
	renewed := make(chan []byte, 1)
	cfg := w.dialFrom(nil)
	cfg.Renewed = func(grant []byte) { renewed <- grant }
	for range 10 {
		tun, err := tunnel.Dial(w.context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		tun.Close()
		select {
		case got := <-renewed:
			if !bytes.Equal(got, fresh) {
				t.Errorf("got %x", got)
			}
		default:
			t.Fatal("closed without the grant")
		}
	}
}

// TestCloseWithoutVerdict: a router that never says anything holds up nobody.
func TestCloseWithoutVerdict(t *testing.T) {
	e := newEvilRelay(t)
	w := &world{t: t, url: e.url, router: newIdentity(t), device: newIdentity(t)}
	e.onOpen(answeredBy(e, w))
	tun := w.dialWith(w.dialFrom(nil))
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	if _, err := tun.Verdict(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want context.DeadlineExceeded", err)
	}
	began := time.Now()
	tun.Close()
	if took := time.Since(began); took > promptly {
		t.Errorf("it took %v", took)
	}
	if _, err := tun.Verdict(w.context()); err == nil {
		t.Error("a verdict after the end")
	}
}

// TestVerdictThatCannotBeWritten: a judge that says too much is a fault of the router's, not of the device's.
func TestVerdictThatCannotBeWritten(t *testing.T) {
	w, log := newWorld(t), &logbook{}
	long := ecv.Reason(bytes.Repeat([]byte{'a'}, 600))
	c := newCourt(func(c tunnel.Case) tunnel.Ruling {
		if isEmpty(c.Evidence) {
			return ruled(ecv.Allow, long)
		}
		return ruled(ecv.Allow)
	})
	w.listen(tunnel.ListenConfig{Judging: c.judging(), Log: log.logger()}, handlers{"echo": echo})
	env := &surroundings{here: atHome(t)}
	tun := w.dialWith(w.dialFrom(env))
	env.moveTo(ecv.Evidence{})
	if err := tun.ShowEvidence(w.context()); err != nil {
		t.Fatal(err)
	}
	wantEnd(t, tun, patience, "internal")
	first := w.dialWith(w.dialFrom(env))
	wantEnd(t, first, patience, "internal")
}

// TestStepUpTime: a tunnel that waits for confirmation has its time, which showing more does not stretch.
func TestStepUpTime(t *testing.T) {
	w := newWorld(t)
	w.impatient(tunnel.ListenConfig{Judging: newCourt(homeOnly(t)).judging()}, time.Minute, 300*time.Millisecond, handlers{"echo": echo})
	began := time.Now()
	tun := w.dialWith(w.dialFrom(&surroundings{here: atCafe(t)}))
	for range 5 {
		tun.ShowEvidence(w.context())
	}
	wantEnd(t, tun, patience, "step_up_required", "wifi_unknown", ecv.ScoreLow)
	if took := time.Since(began); took < 300*time.Millisecond {
		t.Errorf("it ended after %v", took)
	}
}

// TestStepUpImproves: a tunnel that is allowed after all lives on.
func TestStepUpImproves(t *testing.T) {
	t.Parallel() // it mostly waits
	const stepUp = 500 * time.Millisecond
	w, c := newWorld(t), newCourt(homeOnly(t))
	w.impatient(tunnel.ListenConfig{Judging: c.judging()}, time.Minute, stepUp, handlers{"echo": echo})
	env := &surroundings{}
	tun := w.dialWith(w.dialFrom(env))
	over := time.After(2 * stepUp)
	wantRefusal(t, w.answerOf(tun, "echo"), "router", "step_up_required")
	env.moveTo(atHome(t))
	if err := tun.ShowEvidence(w.context()); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the new verdict", func() bool {
		v, err := tun.Verdict(w.context())
		return err == nil && v.Verdict == ecv.Allow
	})
	w.wantEcho(tun, "allowed")
	select {
	case <-tun.Done():
		t.Fatalf("it ended: %v", tun.Err())
	case <-over:
	}
	w.wantEcho(tun, "still allowed")
}

// answeredBy has the router's end of each session answered by the test itself, which shakes hands and then says nothing.
func answeredBy(e *evilRelay, w *world) openFunc {
	return func(ed25519.PublicKey, *wire.Open) wire.Message {
		s := e.newSession()
		listener, err := e.end(w.context(), s.Router).Listen(identityTLS(e.t, w.router, wire.ALPNTunnel), nil)
		if err != nil {
			e.t.Error(err)
		}
		e.t.Cleanup(func() { listener.Close() })
		return opened(s.Device)
	}
}
