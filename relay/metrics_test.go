package relay

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/quic-go/quic-go"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/internal/wire"
	"github.com/lethe-relay/lethe/relay/forward"
)

const patience = 10 * time.Second

// TestMetricsListAll: every metric is there from the start, with all reasons.
// Those of requests come with their first outcome.
func TestMetricsListAll(t *testing.T) {
	_, cfg := initRelay(t)
	got := start(t, cfg, quiet()).metrics(t)
	for _, name := range []string{
		"sessions", "bound_legs", "routers", "forwarded_datagrams_total", "forwarded_bytes_total",
		"reads_total", "messages_total", "control_datagrams_total", "leg_messages_total", "overload_seconds_total", "wipes_total",
	} {
		if _, there := got["lethe_relay_"+name]; !there {
			t.Errorf("%s is not there", name)
		}
	}
	for _, verdict := range []string{"allow", "step_up", "deny", "none"} {
		for _, at := range []string{"open", "move"} {
			if _, there := got[`lethe_relay_verdicts_total{at="`+at+`",verdict="`+verdict+`"}`]; !there {
				t.Errorf("verdicts: %s at %s is not there", verdict, at)
			}
		}
	}
	for _, why := range forward.DropReasons() {
		if _, there := got[`lethe_relay_dropped_datagrams_total{reason="`+why.String()+`"}`]; !there {
			t.Errorf("dropped datagrams: %v is not there", why)
		}
	}
	for _, why := range []forward.EndReason{forward.EndUnbound, forward.EndIdle, forward.EndNotBound, forward.EndByRelay, forward.EndLimited} {
		if _, there := got[`lethe_relay_ended_sessions_total{reason="`+why.String()+`"}`]; !there {
			t.Errorf("ended sessions: %v is not there", why)
		}
	}
}

// TestMetricsMove: each metric is moved by what it counts. A metric that is
// described and not looked at here fails the test.
func TestMetricsMove(t *testing.T) {
	_, cfg := initRelay(t)
	r := start(t, cfg, quiet())
	home, phone := newPeer(t, r), newPeer(t, r)
	grant, err := auth.Issue(home.id, auth.Grant{
		Device: phone.id.PublicKey(), Role: auth.RoleOwner, Services: []string{auth.AllServices},
		NotBefore: time.Now().Add(-time.Minute), NotAfter: time.Now().Add(time.Hour),
	}, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	request[*wire.Registered](t, home, &wire.Register{Token: cfg.EnrolmentToken[:]})
	pushed := make(chan *wire.Incoming, 1)
	go home.acceptOne(pushed)
	opened := request[*wire.Opened](t, phone, &wire.Open{Router: home.id.RouterID(), Grant: grant})
	in := <-pushed
	device, router := newLeg(t, r, opened.Leg, opened.Secret), newLeg(t, r, in.Leg, in.Secret)
	device.send(t, []byte("\x40 hello"))
	router.receive(t)
	device.send(t, []byte("\x00 neither QUIC nor a leg message"))
	device.bind(t, wire.Cookie{}, wire.TypeBound) // answered after what came before

	check := func(want map[string]float64) (names []string) {
		t.Helper()
		got := r.metrics(t)
		for name, value := range want {
			if got["lethe_relay_"+name] < max(value, 1) || value > 0 && got["lethe_relay_"+name] != value {
				t.Errorf("%s is %v, want %v (0: any)", name, got["lethe_relay_"+name], value)
			}
			name, _, _ = strings.Cut(name, "{")
			names = append(names, "lethe_relay_"+name)
		}
		return names
	}
	waitFor(t, "a wipe", func() bool { return r.Stats().Wipes > 0 })
	seen := check(map[string]float64{
		"sessions": 1, "bound_legs": 2, "routers": 1, "forwarded_datagrams_total": 1, "forwarded_bytes_total": 7,
		"reads_total": 0, "messages_total": 0, "control_datagrams_total": 0, "leg_messages_total": 5, "wipes_total": 0,
		`dropped_datagrams_total{reason="not_leg"}`: 1, `opens_total{outcome="ok"}`: 1, `registrations_total{outcome="ok"}`: 1, `connections_total{outcome="ok"}`: 2,
		`verdicts_total{at="open",verdict="none"}`: 1, `lockdown_info{mode="off"}`: 1, `retention_control_in_force{control="packet_buffers_wiped"}`: 1,
	})
	device.send(t, device.message(wire.TypeUnbind, wire.Cookie{}))
	device.send(t, append([]byte("\xc0\x1a\x2a\x3a\x4a"), make([]byte, 1195)...)) // a QUIC version that nobody has
	device.receive(t)                                                             // says so, after the UNBIND was acted on
	seen = append(seen, check(map[string]float64{`ended_sessions_total{reason="unbound"}`: 1})...)

	seen = append(seen, "lethe_relay_certificate_expiry_timestamp_seconds") // see TestReload, whose relay has a certificate from files
	seen = append(seen, "lethe_relay_overload_seconds_total")               // see TestOverloadIsCounted in package forward: this relay keeps up
	for _, name := range described(r.collector()) {
		if !slices.Contains(seen, name) {
			t.Errorf("nothing here moves %s", name)
		}
	}
}

// described returns the names of all metrics of a collector.
func described(c prometheus.Collector) (names []string) {
	ch := make(chan *prometheus.Desc, 100)
	c.Describe(ch)
	close(ch)
	for d := range ch {
		_, rest, _ := strings.Cut(d.String(), `fqName: "`)
		name, _, _ := strings.Cut(rest, `"`)
		names = append(names, name)
	}
	return names
}

// peer is a router or device on a control connection.
type peer struct {
	id   *auth.Identity
	conn *quic.Conn
}

func newPeer(t *testing.T, r running) peer {
	t.Helper()
	id, err := auth.NewIdentity(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := id.Certificate(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	conn, err := quic.DialAddr(ctx, r.Addr().String(), &tls.Config{
		NextProtos: []string{wire.ALPNControl}, Certificates: []tls.Certificate{cert},
		InsecureSkipVerify: true, VerifyConnection: auth.PinRelay(r.URL().Pin),
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.CloseWithError(0, "") })
	return peer{id, conn}
}

func request[M wire.Message](t *testing.T, p peer, m wire.Message) M {
	t.Helper()
	s, err := p.conn.OpenStream()
	if err != nil {
		t.Fatal(err)
	}
	s.SetDeadline(time.Now().Add(patience))
	if err := wire.WriteMessage(s, m); err != nil {
		t.Fatal(err)
	}
	answer, err := wire.Expect[M](s)
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

// acceptOne takes the next session that the relay offers.
func (p peer) acceptOne(pushed chan<- *wire.Incoming) {
	s, err := p.conn.AcceptStream(context.Background())
	if err != nil {
		return
	}
	defer s.Close()
	if m, err := wire.Expect[*wire.Incoming](s); err == nil {
		wire.WriteMessage(s, &wire.Accept{})
		pushed <- m
	}
}

// leg is a bound leg and its socket.
type leg struct {
	*net.UDPConn
	id      wire.LegID
	secret  wire.LegSecret
	counter uint64
}

func newLeg(t *testing.T, r running, id wire.LegID, secret wire.LegSecret) *leg {
	t.Helper()
	c, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(r.Addr()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(patience))
	l := &leg{UDPConn: c, id: id, secret: secret}
	l.bind(t, l.bind(t, wire.Cookie{}, wire.TypeCookie), wire.TypeBound)
	return l
}

func (l *leg) message(typ wire.Type, cookie wire.Cookie) []byte {
	l.counter++
	return wire.LegMessage{Type: typ, Leg: l.id, Counter: l.counter, Cookie: cookie}.Append(nil, &l.secret)
}

func (l *leg) bind(t *testing.T, cookie wire.Cookie, want wire.Type) wire.Cookie {
	t.Helper()
	l.send(t, l.message(wire.TypeBind, cookie))
	m, err := wire.ParseLegMessage(l.receive(t))
	if err != nil || m.Type != want {
		t.Fatalf("got %+v, %v, want %v", m, err, want)
	}
	return m.Cookie
}

func (l *leg) send(t *testing.T, b []byte) {
	t.Helper()
	if _, err := l.Write(b); err != nil {
		t.Fatal(err)
	}
}

func (l *leg) receive(t *testing.T) []byte {
	t.Helper()
	b := make([]byte, 1500)
	n, err := l.Read(b)
	if err != nil {
		t.Fatal(err)
	}
	return b[:n]
}
