package relay

import (
	"crypto/rand"
	"encoding/json"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/internal/wire"
	"github.com/lethe-relay/lethe/relay/control"
)

// about asks the relay what it holds about somebody.
func (r running) about(t *testing.T, who string) (e control.Explanation) {
	t.Helper()
	if err := json.Unmarshal([]byte(r.get(t, "/explain/"+who)), &e); err != nil {
		t.Fatal(err)
	}
	return e
}

// counted are the names of what limits count.
func counted(e control.Explanation) (names string) {
	for _, c := range e.Counts {
		names += c.What + "\n"
	}
	return names
}

// couple is a router and a device with a session between them.
type couple struct {
	home, phone    peer
	router, device *leg
}

func newCouple(t *testing.T, r running) couple {
	t.Helper()
	c := couple{home: newPeer(t, r), phone: newPeer(t, r)}
	grant, err := auth.Issue(c.home.id, auth.Grant{
		Device: c.phone.id.PublicKey(), Role: auth.RoleOwner, Services: []string{auth.AllServices},
		NotBefore: time.Now().Add(-time.Minute), NotAfter: time.Now().Add(time.Hour),
	}, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	other := auth.Revocations{Number: 7, Devices: []auth.Revocation{{Device: auth.DeviceID{1, 2, 3}, Serial: 4}}}
	request[*wire.Registered](t, c.home, &wire.Register{Token: r.cfg.EnrolmentToken[:], Revocations: other.Append(nil)})
	pushed := make(chan *wire.Incoming, 1)
	go c.home.acceptOne(pushed)
	opened := request[*wire.Opened](t, c.phone, &wire.Open{Router: c.home.id.RouterID(), Grant: grant})
	in := <-pushed
	c.device, c.router = newLeg(t, r, opened.Leg, opened.Secret), newLeg(t, r, in.Leg, in.Secret)
	c.device.send(t, []byte("\x40 hello"))
	c.router.receive(t)
	return c
}

func localAddr(l *leg) netip.AddrPort { return netip.MustParseAddrPort(l.LocalAddr().String()) }

// TestExplain: what is held is told to whom it is about, and to nobody else.
func TestExplain(t *testing.T) {
	_, cfg := initRelay(t)
	r := start(t, cfg, quiet())
	c := newCouple(t, r)
	router, device := c.home.id.RouterID(), auth.DeviceIDOf(c.phone.id.PublicKey())

	e := r.about(t, router.String())
	if e.Nothing || e.Kind != "router" || len(e.Connections) != 1 || !e.Connections[0].Registered || e.Connections[0].Number != 7 || len(e.Sessions) != 1 {
		t.Fatalf("about the router: %+v", e)
	}
	s := e.Sessions[0]
	if s.Device != device || s.Router != router || s.DeviceLeg.Address != localAddr(c.device) || s.RouterLeg.Address != localAddr(c.router) ||
		s.DeviceLeg.Bytes != 7 || s.DeviceLeg.Heard.IsZero() || time.Since(s.Active) > time.Minute {
		t.Errorf("its session: %+v", s)
	}
	if s.Evidence == nil || s.Evidence.Verdict != "none" || s.Evidence.Network != "127.0.0.0" {
		t.Errorf("its evidence: %+v", s.Evidence)
	}
	if !strings.Contains(counted(e), "sessions of the router") {
		t.Errorf("its counts: %+v", e.Counts)
	}
	if e = r.about(t, device.String()); len(e.Connections) != 1 || len(e.Sessions) != 1 || e.Connections[0].Registered ||
		!strings.Contains(counted(e), "sessions of the device") || !strings.Contains(counted(e), "requests of the device") {
		t.Errorf("about the device: %+v", e)
	}
	if e = r.about(t, localAddr(c.device).String()); len(e.Sessions) == 0 || len(e.Connections) != 0 {
		t.Errorf("about the leg's address: %+v", e)
	}
	if e = r.about(t, "127.0.0.1"); len(e.Connections) != 2 || len(e.Sessions) != 1 ||
		!strings.Contains(counted(e), "legs that are bound") || !strings.Contains(counted(e), "control connections from 127.0.0.1/32") || !strings.Contains(counted(e), "requests from 127.0.0.1/32") {
		t.Errorf("about the address: %+v", e)
	}
	if e = r.about(t, (auth.DeviceID{1, 2, 3}).String()); len(e.Revocations) != 1 || e.Revocations[0].Serial != 4 || e.Revocations[0].Of != router.String() || len(e.Connections)+len(e.Sessions) != 0 {
		t.Errorf("about a device that was revoked: %+v", e)
	}
	for _, nobody := range []string{"192.0.2.1", "[2001:db8::1]:443", (auth.RouterID{9}).String(), (auth.DeviceID{9}).String()} {
		if e = r.about(t, nobody); !e.Nothing || len(e.Counts) != 0 {
			t.Errorf("about %s: %+v", nobody, e)
		}
	}
}

// TestExplainAfterTheEnd: of what has ended, only what doc.go of package control
// says is kept.
func TestExplainAfterTheEnd(t *testing.T) {
	_, cfg := initRelay(t)
	r := start(t, cfg, quiet())
	c := newCouple(t, r)
	router, device := c.home.id.RouterID(), auth.DeviceIDOf(c.phone.id.PublicKey())
	c.device.send(t, c.device.message(wire.TypeUnbind, wire.Cookie{}))
	c.phone.conn.CloseWithError(0, "")
	c.home.conn.CloseWithError(0, "")

	waitFor(t, "the session and the connections to be forgotten", func() bool {
		e := r.about(t, "127.0.0.1")
		return len(e.Connections)+len(e.Sessions) == 0 && !strings.Contains(counted(e), "connections") && !strings.Contains(counted(e), "legs")
	})
	if e := r.about(t, router.String()); len(e.Revocations) != 1 || e.Revocations[0].Until.Before(time.Now().Add(11*time.Hour)) || len(e.Counts) != 0 {
		t.Errorf("about the router that has left: %+v", e)
	}
	if e := r.about(t, (auth.DeviceID{1, 2, 3}).String()); len(e.Revocations) != 1 || strings.Contains(e.Revocations[0].Of, router.String()) {
		t.Errorf("about a device that it has revoked: %+v", e)
	}
	e := r.about(t, device.String())
	if e.Counts = e.Counts[:0]; len(e.Sessions)+len(e.Connections)+len(e.Revocations) != 0 { // the bucket of its requests goes with time; see package limit
		t.Errorf("about the device: %+v", e)
	}
}

// waitFor asks again until ok says so.
func waitFor(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for tick := time.NewTicker(10 * time.Millisecond); !ok(); <-tick.C {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

func TestSubjects(t *testing.T) {
	id := (auth.RouterID{1}).String()
	for _, good := range []string{id, strings.ToUpper(id), (auth.DeviceID{1}).String(), "192.0.2.1", "192.0.2.1:443", "2001:db8::1", "[2001:db8::1]:443"} {
		if err := CheckSubject(good); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
	for _, bad := range []string{"", "relay.example.org", id[1:], "a" + id[1:], "192.0.2", "192.0.2.0/24"} {
		if err := CheckSubject(bad); err == nil && bad != id {
			t.Errorf("%q is taken", bad)
		}
	}
}
