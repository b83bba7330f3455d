package control

import (
	"bytes"
	"errors"
	"maps"
	"net"
	"runtime"
	"testing"
	"time"

	"github.com/quic-go/quic-go"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/internal/wire"
	"github.com/lethe-relay/lethe/relay/forward"
)

func TestOpen(t *testing.T) {
	r := startRelay(t, nil, nil)
	rt, device := r.register(t, identity(t), accept), r.dial(t, identity(t))
	raw := grant(t, rt.id, device.id)
	opened, err := ask[*wire.Opened](t, device, &wire.Open{Router: rt.id.RouterID(), Grant: raw})
	if err != nil {
		t.Fatal(err)
	}
	in := rt.next(t)
	if !bytes.Equal(in.Device[:], device.id.PublicKey()) || !bytes.Equal(in.Grant, raw) || in.Purpose != wire.PurposeTunnel {
		t.Errorf("the router was told %+v", in)
	}
	if in.Leg == opened.Leg || in.Secret == opened.Secret {
		t.Error("both ends have the same leg or secret")
	}
	if got := r.Opens.all(); !maps.Equal(got, map[string]uint64{"ok": 1}) {
		t.Errorf("counted %v", got)
	}

	a, b := r.bind(t, opened.Leg, opened.Secret), r.bind(t, in.Leg, in.Secret)
	tell(t, a, b, "\x40 from the device")
	tell(t, b, a, "\x40 from the router")
}

// bind binds a leg as its owner does, and returns the socket that it is bound to.
func (r *testRelay) bind(t testing.TB, leg wire.LegID, secret wire.LegSecret) *net.UDPConn {
	t.Helper()
	return r.bindFrom(t, "127.0.0.1", 1, leg, secret)
}

// bindFrom binds a leg to an address of this machine. The two BINDs that it
// takes have the counter and the next number.
func (r *testRelay) bindFrom(t testing.TB, ip string, counter uint64, leg wire.LegID, secret wire.LegSecret) *net.UDPConn {
	t.Helper()
	local, to := &net.UDPAddr{IP: net.ParseIP(ip)}, r.udpAddr()
	if local.IP.To4() == nil {
		to.IP = net.IPv6loopback
	}
	c, err := net.DialUDP("udp", local, to)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(patience))
	answer := wire.LegMessage{}
	for i, want := range []wire.Type{wire.TypeCookie, wire.TypeBound} {
		m := wire.LegMessage{Type: wire.TypeBind, Leg: leg, Counter: counter + uint64(i), Cookie: answer.Cookie}
		if _, err := c.Write(m.Append(nil, &secret)); err != nil {
			t.Fatal(err)
		}
		b := make([]byte, 1500)
		n, err := c.Read(b)
		if err != nil {
			t.Fatal(err)
		}
		if answer, err = wire.ParseLegMessage(b[:n]); err != nil || answer.Type != want {
			t.Fatalf("got %+v, %v, want %v", answer, err, want)
		}
	}
	return c
}

func tell(t testing.TB, from, to *net.UDPConn, text string) {
	t.Helper()
	if _, err := from.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 1500)
	if n, err := to.Read(b); err != nil || string(b[:n]) != text {
		t.Fatalf("got %q, %v, want %q", b[:n], err, text)
	}
}

// TestOpenRefused: the router never hears of a device without a good grant, and
// nothing of a session exists.
func TestOpenRefused(t *testing.T) {
	for _, tt := range []struct {
		name  string
		grant func(router, device *auth.Identity) []byte
		want  wire.Code
	}{
		{"expired", func(router, device *auth.Identity) []byte {
			return grantFrom(t, router, device, time.Now().Add(-2*time.Hour), time.Hour)
		}, wire.CodeGrantExpired},
		{"not yet valid", func(router, device *auth.Identity) []byte {
			return grantFrom(t, router, device, time.Now().Add(time.Hour), time.Hour)
		}, wire.CodeGrantNotYetValid},
		{"of another router", func(_, device *auth.Identity) []byte { return grant(t, identity(t), device) }, wire.CodeGrantInvalid},
		{"for another device", func(router, _ *auth.Identity) []byte { return grant(t, router, identity(t)) }, wire.CodeGrantInvalid},
		{"signed by the device", func(_, device *auth.Identity) []byte { return grant(t, device, device) }, wire.CodeGrantInvalid},
		{"a bit of the content flipped", func(router, device *auth.Identity) []byte {
			b := grant(t, router, device)
			b[len(b)/2] ^= 1
			return b
		}, wire.CodeGrantInvalid},
		{"a bit of the signature flipped", func(router, device *auth.Identity) []byte {
			b := grant(t, router, device)
			b[len(b)-1] ^= 0x10
			return b
		}, wire.CodeGrantInvalid},
		{"cut short", func(router, device *auth.Identity) []byte {
			b := grant(t, router, device)
			return b[:len(b)-1]
		}, wire.CodeGrantInvalid},
		{"none", func(_, _ *auth.Identity) []byte { return nil }, wire.CodeGrantInvalid},
		{"garbage", func(_, _ *auth.Identity) []byte { return bytes.Repeat([]byte{0xff}, wire.MaxGrant) }, wire.CodeGrantInvalid},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := startRelay(t, nil, nil)
			rt, device := r.register(t, identity(t), accept), r.dial(t, identity(t))
			_, err := ask[*wire.Opened](t, device, &wire.Open{Router: rt.id.RouterID(), Grant: tt.grant(rt.id, device.id)})
			if !errors.Is(err, tt.want) {
				t.Errorf("open = %v, want %v", err, tt.want)
			}
			if n := len(rt.incoming); n != 0 {
				t.Error("the router heard of it")
			}
			r.noSessionEver(t)
			if got := r.Opens.all(); !maps.Equal(got, map[string]uint64{string(tt.want): 1}) {
				t.Errorf("counted %v", got)
			}

			// The first that the router hears of is a good one.
			good := grant(t, rt.id, device.id)
			if _, err := ask[*wire.Opened](t, device, &wire.Open{Router: rt.id.RouterID(), Grant: good}); err != nil {
				t.Fatal(err)
			}
			if in := rt.next(t); !bytes.Equal(in.Grant, good) {
				t.Error("the router heard of the bad grant")
			}
		})
	}
}

func (r *testRelay) noSessionEver(t *testing.T) {
	t.Helper()
	st := r.plane.Stats()
	n := uint64(st.Sessions)
	for _, ended := range st.Ended {
		n += ended
	}
	if n != 0 {
		t.Errorf("%d sessions were made", n)
	}
}

func TestOpenRouterOffline(t *testing.T) {
	r := startRelay(t, nil, nil)
	if _, err := r.dial(t, identity(t)).open(t, identity(t)); !errors.Is(err, wire.CodeRouterOffline) {
		t.Errorf("open = %v", err)
	}
	r.noSessionEver(t)
}

func TestRouterDecides(t *testing.T) {
	for _, tt := range []struct {
		name    string
		answer  func(c *client, s *quic.Stream)
		want    wire.Code
		counted string
	}{
		{"denied", says(wire.CodeDenied), wire.CodeDenied, "denied"},
		{"revoked", says(wire.CodeGrantRevoked), wire.CodeGrantRevoked, "grant_revoked"},
		{"a code that the relay does not know", says("made_up"), "made_up", "internal"},
		{"never answers", func(c *client, s *quic.Stream) { <-c.Context().Done() }, wire.CodeRouterTimeout, "router_timeout"},
		{"closes without an answer", func(_ *client, s *quic.Stream) { s.Close() }, wire.CodeRouterTimeout, "router_timeout"},
		{"resets", func(_ *client, s *quic.Stream) { s.CancelWrite(3) }, wire.CodeRouterTimeout, "router_timeout"},
		{"answers nonsense", func(_ *client, s *quic.Stream) { wire.WriteMessage(s, &wire.ServiceReady{}) }, wire.CodeRouterTimeout, "router_timeout"},
		{"leaves", func(c *client, _ *quic.Stream) { c.CloseWithError(0, "") }, wire.CodeRouterOffline, "router_offline"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := startRelay(t, nil, func(s *Server) {
				if tt.name == "never answers" {
					s.timeouts.answer = 100 * time.Millisecond
				}
			})
			var rt *testRouter
			ready := make(chan struct{})
			rt = r.register(t, identity(t), func(s *quic.Stream, _ *wire.Incoming) {
				<-ready
				tt.answer(rt.client, s)
			})
			close(ready)
			_, err := r.dial(t, identity(t)).open(t, rt.id)
			var refused *wire.Error
			if !asError(err, &refused) || refused.Code != tt.want {
				t.Errorf("open = %v, want %v", err, tt.want)
			}
			if got := r.Opens.all(); !maps.Equal(got, map[string]uint64{tt.counted: 1}) {
				t.Errorf("counted %v", got)
			}
			if st := r.plane.Stats(); st.Sessions != 0 || st.Ended[forward.EndByRelay] != 1 {
				t.Errorf("%d sessions are left, %v ended", st.Sessions, st.Ended)
			}
		})
	}
}

func says(code wire.Code) func(*client, *quic.Stream) {
	return func(_ *client, s *quic.Stream) { wire.WriteMessage(s, &wire.Error{Code: code}) }
}

// TestRouterWithoutRoomForStreams takes no push at all; it is present, but does
// not answer in time.
func TestRouterWithoutRoomForStreams(t *testing.T) {
	r := startRelay(t, nil, func(s *Server) { s.timeouts.answer = 200 * time.Millisecond })
	id := identity(t)
	tr := &quic.Transport{Conn: listenUDP(t)}
	t.Cleanup(func() { tr.Close() })
	conn, err := tr.Dial(t.Context(), r.udpAddr(), clientTLS(certificate(t, id)), &quic.Config{MaxIncomingStreams: -1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.CloseWithError(0, "") })
	if _, err := ask[*wire.Registered](t, &client{Conn: conn}, &wire.Register{Token: r.token[:]}); err != nil {
		t.Fatal(err)
	}
	if _, err := r.dial(t, identity(t)).open(t, id); !errors.Is(err, wire.CodeRouterTimeout) {
		t.Errorf("open = %v", err)
	}
}

func listenUDP(t *testing.T) *net.UDPConn {
	t.Helper()
	c, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func TestPairingNeedsNoGrant(t *testing.T) {
	r := startRelay(t, nil, nil)
	rt, device := r.register(t, identity(t), accept), r.dial(t, identity(t))
	if _, err := ask[*wire.Opened](t, device, &wire.Open{Router: rt.id.RouterID(), Purpose: wire.PurposePairing}); err != nil {
		t.Fatal(err)
	}
	if in := rt.next(t); in.Purpose != wire.PurposePairing || len(in.Grant) != 0 || !bytes.Equal(in.Device[:], device.id.PublicKey()) {
		t.Errorf("the router was told %+v", in)
	}
}

// TestTheDeviceLeavesWhileTheRouterThinks: no session outlives the wait.
func TestTheDeviceLeavesWhileTheRouterThinks(t *testing.T) {
	r := startRelay(t, nil, nil)
	answer := make(chan struct{})
	rt := r.register(t, identity(t), func(s *quic.Stream, in *wire.Incoming) {
		<-answer
		accept(s, in)
	})
	device := r.register(t, identity(t), accept) // a router as well, so that the relay logs its end
	s := device.stream(t)
	if err := wire.WriteMessage(s, &wire.Open{Router: rt.id.RouterID(), Grant: grant(t, rt.id, device.id)}); err != nil {
		t.Fatal(err)
	}
	rt.next(t)
	device.CloseWithError(0, "")
	r.log.wait(t, "router gone")
	close(answer)
	for late := time.Now().Add(patience); len(r.Opens.all()) == 0 && time.Now().Before(late); {
		runtime.Gosched()
	}
	r.stopServe()
	if got := r.Opens.all(); !maps.Equal(got, map[string]uint64{"ok": 1}) {
		t.Fatalf("counted %v; the router had accepted", got)
	}
	if st := r.plane.Stats(); st.Sessions != 0 || st.Ended[forward.EndByRelay] != 1 {
		t.Errorf("%d sessions are left, %v ended", st.Sessions, st.Ended)
	}
}
