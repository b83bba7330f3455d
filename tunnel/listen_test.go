package tunnel_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/internal/wire"
	"github.com/lethe-relay/lethe/tunnel"
)

// TestListenFinal: what trying again would not mend is returned at once.
func TestListenFinal(t *testing.T) {
	w := newWorld(t)
	var mismatch *auth.KeyMismatchError
	var untrusted *tunnel.UntrustedRelayError
	for name, test := range map[string]struct {
		change func(*auth.RelayURL)
		is     func(error) bool
	}{
		"wrong pin":   {func(u *auth.RelayURL) { u.Pin[0] ^= 1 }, func(err error) bool { return errors.As(err, &mismatch) }},
		"no pin":      {func(u *auth.RelayURL) { u.Pin = auth.RelayPin{} }, func(err error) bool { return errors.As(err, &untrusted) }},
		"wrong token": {func(u *auth.RelayURL) { u.Token[0] ^= 1 }, isNotEnrolled},
		"no token":    {func(u *auth.RelayURL) { u.Token = auth.Token{} }, isNotEnrolled},
	} {
		t.Run(name, func(t *testing.T) {
			url := w.url
			test.change(&url)
			began := time.Now()
			l, err := tunnel.Listen(w.context(), tunnel.ListenConfig{Identity: w.router, Relay: url})
			if l != nil || !test.is(err) || time.Since(began) > promptly {
				t.Errorf("%v, %v after %v", l, err, time.Since(began))
			}
		})
	}
}

func isNotEnrolled(err error) bool { return errors.Is(err, &tunnel.RefusedError{Code: "not_enrolled"}) }

// TestListenCancelled: a Listen that waits for its relay returns with its context.
func TestListenCancelled(t *testing.T) {
	w := newWorld(t)
	w.url.Host = silence(t)
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	began := time.Now()
	_, err := tunnel.Listen(ctx, tunnel.ListenConfig{Identity: w.router, Relay: w.url})
	if !errors.Is(err, context.DeadlineExceeded) || time.Since(began) > promptly {
		t.Errorf("%v after %v", err, time.Since(began))
	}
}

// TestListenAgain: a router registers again by itself with a relay that was restarted, and is reached again.
func TestListenAgain(t *testing.T) {
	path := initRelay(t, freePort(t))
	r, stop := startRelay(t, path)
	w := &world{t: t, relay: r, url: r.URL(), router: newIdentity(t), device: newIdentity(t)}
	log := &logbook{}
	l, err := tunnel.ListenRetrying(w.context(), tunnel.ListenConfig{Identity: w.router, Relay: w.url, Log: log.logger()}, time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	w.serve(l, handlers{"echo": echo})
	w.wantEcho(w.dial(), "before")
	stop()
	eventually(t, "the log", func() bool { return strings.Contains(log.String(), "not registered") })
	w.relay, _ = startRelay(t, path)
	eventually(t, "the registration", func() bool { return w.relay.Routers() == 1 })
	w.wantEcho(w.dial(), "after")
	if !strings.Contains(log.String(), "shutting_down") {
		t.Errorf("the log does not say why:\n%s", log)
	}
}

// TestListenFirst: a router may start before its relay does.
func TestListenFirst(t *testing.T) {
	path := initRelay(t, freePort(t))
	r, stop := startRelay(t, path)
	w := &world{t: t, url: r.URL(), router: newIdentity(t)}
	stop()
	registered := make(chan error, 1)
	go func() {
		l, err := tunnel.ListenRetrying(w.context(), tunnel.ListenConfig{Identity: w.router, Relay: w.url}, time.Millisecond)
		if err == nil {
			l.Close()
		}
		registered <- err
	}()
	startRelay(t, path)
	if err := <-registered; err != nil {
		t.Error(err)
	}
}

// freePort is an address that a relay can listen on twice, one time after the other.
func freePort(t *testing.T) netip.AddrPort {
	t.Helper()
	conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(loopback4))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	return conn.LocalAddr().(*net.UDPAddr).AddrPort()
}

// TestListenReplaced: of two agents with one key the newer one is reached, and the older one waits long.
func TestListenReplaced(t *testing.T) {
	w := newWorld(t)
	log := &logbook{}
	w.listen(tunnel.ListenConfig{Log: log.logger()}, nil)
	w.listen(tunnel.ListenConfig{}, handlers{"echo": echo})
	eventually(t, "the log", func() bool {
		return strings.Contains(log.String(), "another agent with this router's key has registered")
	})
	if text := log.String(); !strings.Contains(text, "retry_in=3") && !strings.Contains(text, "retry_in=4") && !strings.Contains(text, "retry_in=5") {
		t.Errorf("it does not wait for 30 s to a minute:\n%s", text)
	}
	w.wantEcho(w.dial(), "the newer one")
}

// TestListenLog: events and numbers, no identity, secret or address of a peer.
func TestListenLog(t *testing.T) {
	w := newWorld(t)
	log := &logbook{}
	l := w.listen(tunnel.ListenConfig{Log: log.logger(), Admit: func(tunnel.Device) bool { return strings.Count(log.String(), "open") == 0 }},
		handlers{"echo": echo})
	tun := w.dial()
	w.wantEcho(tun, "x")
	tunnel.Dial(w.context(), w.dialConfig())
	tun.Close()
	eventually(t, "the end", func() bool { return l.Sessions() == 0 })
	text := log.String()
	for _, want := range []string{"tunnel open", "tunnel closed", "session refused", "grant_revoked"} {
		if !strings.Contains(text, want) {
			t.Errorf("nothing of %q in:\n%s", want, text)
		}
	}
	for _, never := range []string{w.router.RouterID().Short(), w.device.DeviceID().Short(), w.url.Token.String(), "127.0.0.1"} {
		if strings.Contains(text, never) {
			t.Errorf("%q in:\n%s", never, text)
		}
	}
}

// TestDisconnect ends all tunnels of one device, tells it why, and leaves the others alone.
func TestDisconnect(t *testing.T) {
	w := newWorld(t)
	l := w.listen(tunnel.ListenConfig{}, handlers{"echo": echo})
	first, second := w.dial(), w.dial()
	other := &world{t: t, url: w.url, router: w.router, device: newIdentity(t)}
	kept := other.dial()
	for _, tun := range []*tunnel.Tunnel{first, second, kept} {
		w.wantEcho(tun, "x")
	}
	if n := l.Disconnect(w.device.DeviceID()); n != 2 {
		t.Errorf("%d tunnels ended, want 2", n)
	}
	for _, tun := range []*tunnel.Tunnel{first, second} {
		<-tun.Done()
		wantRefusal(t, tun.Err(), "router", "grant_revoked")
		_, err := tun.Open(w.context(), "echo")
		wantRefusal(t, err, "router", "grant_revoked")
	}
	w.wantEcho(kept, "still here")
	if n := l.Disconnect(newIdentity(t).DeviceID()); n != 0 {
		t.Errorf("%d tunnels of nobody ended", n)
	}
}

// TestDisconnectAtOnce: a device hears that it has been cut off, however early in its tunnel's life that is.
func TestDisconnectAtOnce(t *testing.T) {
	w := newWorld(t)
	l := w.listen(tunnel.ListenConfig{}, nil)
	for range 30 {
		tun := w.dial()
		l.Disconnect(w.device.DeviceID())
		select {
		case <-tun.Done():
		case <-time.After(patience):
			t.Fatal("the device was not told")
		}
		tun.Close()
	}
}

// TestRevokedMeanwhile: a device that is revoked while its leg is being bound does not slip in.
func TestRevokedMeanwhile(t *testing.T) {
	w := newWorld(t)
	var asked atomic.Int32
	l := w.listen(tunnel.ListenConfig{Admit: func(tunnel.Device) bool { return asked.Add(1) == 1 }}, nil)
	_, err := tunnel.Dial(w.context(), w.dialConfig())
	wantRefusal(t, err, "relay", "grant_revoked")
	if l.Sessions() != 0 || asked.Load() != 2 {
		t.Errorf("%d sessions, asked %d times", l.Sessions(), asked.Load())
	}
}

// TestGrantExpires: the end of a grant ends a living tunnel.
func TestGrantExpires(t *testing.T) {
	t.Parallel() // it mostly waits
	w := newWorld(t)
	w.listen(tunnel.ListenConfig{}, handlers{"echo": echo})
	cfg := w.dialConfig()
	cfg.Router.Grant = w.grant(w.device.PublicKey(), 2*time.Second, "echo")
	tun := w.dialWith(cfg)
	w.wantEcho(tun, "in time")
	s := w.open(tun, "echo")
	s.SetReadDeadline(time.Now().Add(patience))
	_, err := s.Read(make([]byte, 1))
	wantRefusal(t, err, "router", "grant_expired")
}

// TestListenerClose ends tunnels, streams and waiting calls, and leaves nothing behind.
func TestListenerClose(t *testing.T) {
	w := newWorld(t)
	l := w.listen(tunnel.ListenConfig{}, handlers{"echo": echo})
	tun := w.dial()
	w.wantEcho(tun, "x")
	var dials sync.WaitGroup
	for range 5 { // some of them will be half way
		dials.Go(func() {
			if tun, err := tunnel.Dial(w.context(), w.dialConfig()); err == nil {
				<-tun.Done()
				tun.Close()
			}
		})
	}
	l.Close()
	<-tun.Done()
	wantRefusal(t, tun.Err(), "router", "shutting_down")
	if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Accept: %v", err)
	}
	dials.Wait()
	eventually(t, "the relay's end", func() bool { return w.relay.Stats().Sessions == 0 && w.relay.Routers() == 0 })
}

// TestListenerFull: an evil relay can't make a router hold more sessions than it wants, however fast it pushes.
func TestListenerFull(t *testing.T) {
	const limit, more = 64, 10
	e := newEvilRelay(t)
	w := e.victim(&logbook{})
	grant := w.dialConfig().Router.Grant
	var accepted, refused atomic.Int32
	var pushes sync.WaitGroup
	for range limit + more {
		pushes.Go(func() {
			err := e.push(w.router.RouterID(), e.newSession().Router, w.device.PublicKey(), grant, wire.PurposeTunnel)
			switch {
			case err == nil:
				accepted.Add(1)
			case errors.Is(err, wire.CodeTooManySessions):
				refused.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	pushes.Wait()
	if accepted.Load() != limit || refused.Load() != more {
		t.Errorf("%d accepted, %d refused", accepted.Load(), refused.Load())
	}
}
