package control

import (
	"encoding/hex"
	"fmt"
	"net/netip"
	"time"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/auth/ecv"
	"github.com/lethe-relay/lethe/internal/wire"
	"github.com/lethe-relay/lethe/relay/forward"
)

// A question is what an explanation is asked about. It picks what concerns it out
// of all that is held.
type question struct {
	connection func(*peer, Connection) bool
	session    func(*live, Session) bool
	revoked    func(*auth.Revocations) (serial uint64, named bool)
}

// ExplainRouter tells all that is held about a router.
func (s *Server) ExplainRouter(id auth.RouterID) *Explanation {
	e, now := s.explain("router", id.String(), question{
		connection: func(_ *peer, c Connection) bool { return c.Router == id },
		session:    func(_ *live, l Session) bool { return l.Router == id },
	})
	if r, until := s.departed.heldOf(id, now); r != nil {
		e.Revocations = append(e.Revocations, Revoked{Number: r.Number, Devices: len(r.Devices), Of: id.String(), Until: until})
	}
	e.count("sessions of the router", s.perRouter.Of(id))
	e.count("pairing sessions of the router", s.pairings.Of(id))
	return e.done()
}

// ExplainDevice tells all that is held about a device.
func (s *Server) ExplainDevice(id auth.DeviceID) *Explanation {
	e, now := s.explain("device", id.String(), question{
		connection: func(_ *peer, c Connection) bool { return c.Device == id },
		session:    func(_ *live, l Session) bool { return l.Device == id },
		revoked:    func(r *auth.Revocations) (uint64, bool) { return serialOf(r, id) },
	})
	for r, until := range s.departed.naming(id, now) {
		serial, _ := serialOf(r, id)
		e.Revocations = append(e.Revocations, Revoked{
			Number: r.Number, Devices: len(r.Devices), Serial: serial, Of: "of a router that has left, known by a hash only", Until: until,
		})
	}
	e.count("sessions of the device", s.perDevice.Of(id))
	if left, has := s.byDevice.Of(id, now); has {
		e.Counts = append(e.Counts, Counted{"requests of the device that it may make at once", left})
	}
	return e.done()
}

// ExplainAddress tells all that is held about an address. Port 0 stands for all ports.
func (s *Server) ExplainAddress(about netip.AddrPort) *Explanation {
	addr := about.Addr().Unmap().WithZone("")
	same := func(a netip.AddrPort) bool {
		return a.Addr().Unmap().WithZone("") == addr && (about.Port() == 0 || about.Port() == a.Port())
	}
	text := addr.String()
	if about.Port() != 0 {
		text = netip.AddrPortFrom(addr, about.Port()).String()
	}
	network := networkOf(s.originOf(addr))
	e, now := s.explain("address", text, question{
		connection: func(_ *peer, c Connection) bool { return same(c.Address) },
		session: func(_ *live, l Session) bool {
			return same(l.DeviceLeg.Address) || same(l.RouterLeg.Address) || l.DeviceLeg.Judged == addr ||
				l.Waiting != nil && l.Waiting.Unmap() == addr || l.Evidence != nil && network != "" && l.Evidence.Network == network
		},
	})
	held := s.cfg.Plane.HeldAt(addr)
	e.count("legs that are bound to the address", held.Legs)
	e.count("control connections from the address, handshakes included", held.Peers)
	source := sourceOfAddr(addr)
	e.count(fmt.Sprintf("control connections from %s, handshakes included", source), s.perSource.Of(source))
	if left, has := s.bySource.Of(source, now); has {
		e.Counts = append(e.Counts, Counted{fmt.Sprintf("requests from %s that it may make at once", source), left})
	}
	e.done() // before what the files say of any address
	if asn, country := s.cfg.GeoIP.Lookup(addr); asn != 0 || country != "" {
		e.Place = &Place{asn, country}
	}
	return e
}

// explain looks through connections, sessions, and what routers have said.
func (s *Server) explain(kind, about string, q question) (e *Explanation, now time.Time) {
	now = time.Now()
	e = &Explanation{Kind: kind, About: about, At: now.UTC()}
	peers, sessions := s.held.all()
	for _, p := range peers {
		c := s.connectionOf(p)
		if q.connection(p, c) {
			e.Connections = append(e.Connections, c)
		}
		r := p.revoked.Load()
		if q.revoked == nil || r == nil {
			continue
		}
		if serial, named := q.revoked(r); named {
			e.Revocations = append(e.Revocations, Revoked{Number: r.Number, Devices: len(r.Devices), Serial: serial, Of: c.Router.String()})
		}
	}
	for _, l := range sessions {
		if session := l.explain(); q.session(l, session) {
			e.Sessions = append(e.Sessions, session)
		}
	}
	return e, now
}

func (e *Explanation) count(what string, n int) {
	if n > 0 {
		e.Counts = append(e.Counts, Counted{what, float64(n)})
	}
}

func (e *Explanation) done() *Explanation {
	e.Nothing = len(e.Connections)+len(e.Sessions)+len(e.Revocations)+len(e.Counts) == 0
	return e
}

func (s *Server) connectionOf(p *peer) Connection {
	c := Connection{
		Router: auth.RouterIDOf(p.key), Device: auth.DeviceIDOf(p.key),
		Address: forward.AddrPortOf(p.conn.RemoteAddr()), Requests: int(p.requests.Load()),
	}
	registered, present := s.presence.Get(c.Router)
	c.Registered = present && registered == p
	if r := p.revoked.Load(); r != nil {
		c.Revoked, c.Number = len(r.Devices), r.Number
	}
	return c
}

func (l *live) explain() Session {
	l.mu.Lock()
	defer l.mu.Unlock()
	held := l.session.Held()
	s := Session{
		Router: l.router, Device: l.device, Active: held.Active.UTC(),
		DeviceLeg: legOf(held.Device), RouterLeg: legOf(held.Router), Evidence: l.evidence.explain(), Waiting: l.moves.peek(),
	}
	if held.Limited {
		s.Limit = &Limit{Bytes: held.LimitBytes, Used: held.LimitUsed, Until: held.LimitUntil.UTC()}
	}
	return s
}

func legOf(h forward.HeldLeg) Leg {
	id := [8]byte{}
	for i := range id {
		id[i] = byte(h.ID >> (56 - 8*i))
	}
	l := Leg{ID: hex.EncodeToString(id[:]), Address: h.Address, Judged: h.Told, Counter: h.Counter, Datagrams: h.Datagrams, Bytes: h.Bytes}
	if !h.Heard.IsZero() {
		l.Heard = h.Heard.UTC()
	}
	return l
}

func (e *evidence) explain() *Evidence {
	if e == nil {
		return nil
	}
	told := &Evidence{
		Verdict: "none", Services: e.services, Policy: e.policy != nil, Accepted: len(e.accepted.Entries()), Key: e.key != ecv.Key{},
		Network: networkOf(e.origin), ASN: e.origin.asn, Country: e.origin.country,
	}
	if e.verdict != verdictNone {
		told.Verdict = e.verdict.String()
	}
	for f := range ecv.Features {
		if state := e.proofs[f]; state != ecv.Missing {
			told.Proofs = append(told.Proofs, fmt.Sprintf("%v: %v", f, state))
		}
	}
	for _, v := range []struct {
		feature ecv.Feature
		name    wire.TagID
	}{{ecv.Account, e.vouched.Account}, {ecv.Net, e.vouched.Net}, {ecv.ASN, e.vouched.ASN}, {ecv.Country, e.vouched.Country}} {
		if v.name != (wire.TagID{}) {
			told.Vouched = append(told.Vouched, v.feature.String())
		}
	}
	return told
}

// networkOf is how people write the network of an origin.
func networkOf(o origin) string {
	addr, ok := netip.AddrFromSlice([]byte(o.network))
	if !ok {
		return ""
	}
	return addr.String()
}

// serialOf is up to which serial number a router has taken back a device's grants.
func serialOf(r *auth.Revocations, device auth.DeviceID) (serial uint64, named bool) {
	for _, e := range r.Devices {
		if e.Device == device {
			return e.Serial, true
		}
	}
	return 0, false
}
