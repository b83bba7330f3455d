package forward

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/lethe-relay/lethe/internal/udpio"
	"github.com/lethe-relay/lethe/internal/wire"
)

// told is a Bound hook that keeps what it is called with.
func told() (hooks Hooks, calls chan netip.Addr) {
	calls = make(chan netip.Addr, 10)
	return Hooks{Bound: func(a netip.Addr) { calls <- a }}, calls
}

// expectTold fails if the hook was called with anything but want since last time.
func expectTold(t *testing.T, when string, calls chan netip.Addr, want ...string) {
	t.Helper()
	var got []string
	for len(calls) > 0 {
		got = append(got, (<-calls).String())
	}
	if !slices.Equal(got, want) {
		t.Errorf("%s: told %v, want %v", when, got, want)
	}
}

// TestBoundHook: it is told each new address of the device, when it is proved,
// and nothing else.
func TestBoundHook(t *testing.T) {
	r := start(t, nil)
	hooks, calls := told()
	s := r.session(t, hooks)
	device, router := r.endpoint(t, "127.0.0.1", s.Device), r.endpoint(t, "127.0.0.5", s.Router)
	device.ask(wire.Cookie{}, wire.TypeCookie)
	expectTold(t, "no cookie yet", calls)
	device.bind()
	expectTold(t, "bound", calls, "127.0.0.1")
	router.bind()
	expectTold(t, "the router's leg", calls)
	device.ask(wire.Cookie{}, wire.TypeBound)
	expectTold(t, "bound again", calls)

	port := device.moved(r, "127.0.0.1")
	port.bind()
	expectTold(t, "another port", calls)
	away := port.moved(r, "127.0.0.2")
	away.ask(wire.Cookie{1}, wire.TypeCookie)
	expectTold(t, "another address, not proved", calls)
	away.bind()
	expectTold(t, "another address", calls, "127.0.0.2")
	back := away.moved(r, "127.0.0.1")
	back.bind()
	expectTold(t, "the first address again", calls, "127.0.0.1")

	r.End(s, EndByRelay)
	r.forgotten(t, s)
	back.sendOne(back.message(wire.TypeBind, wire.Cookie{}))
	back.quiet()
	expectTold(t, "ended", calls)
}

// TestBoundHookGetsAPlainAddress: a relay that listens on IPv6 tells IPv4 as
// such, and no zone.
func TestBoundHookGetsAPlainAddress(t *testing.T) {
	for _, tt := range []struct{ from, want string }{
		{"[::ffff:192.0.2.1]:5", "192.0.2.1"},
		{"192.0.2.1:5", "192.0.2.1"},
		{"[2001:db8::1]:5", "2001:db8::1"},
		{"[fe80::1%1]:5", "fe80::1"},
	} {
		hooks, calls := told()
		b := newBench(t)
		s, err := b.NewSession(hooks)
		if err != nil {
			t.Fatal(err)
		}
		b.bind(s.Device, udpio.AddrFrom(netip.MustParseAddrPort(tt.from)))
		expectTold(t, tt.from, calls, tt.want)
	}
}

// TestBoundHookAfterSilence: a leg that has lost its address and comes back with
// the same one is not news.
func TestBoundHookAfterSilence(t *testing.T) {
	hooks, calls := told()
	b := newBench(t)
	s, err := b.NewSession(hooks)
	if err != nil {
		t.Fatal(err)
	}
	b.bind(s.Device, loopback(5))
	b.expire(s.Device, time.Now().Add(legTimeout))
	if s.Device.Bound() {
		t.Fatal("the leg still has its address")
	}
	b.bind(s.Device, loopback(5))
	expectTold(t, "silence", calls, "127.0.0.1")
}

// TestBoundHookComesFirst: it can limit the session before anything is carried
// to or from the new address.
func TestBoundHookComesFirst(t *testing.T) {
	b := newBench(t)
	var s *Session
	calls := 0
	hooks := Hooks{Bound: func(netip.Addr) {
		to := loopback(5)
		if calls++; s.Device.Bound() || b.table.get(&to) != nil {
			t.Error("the address was in use before the hook knew of it")
		}
		s.Limit(1, time.Time{})
	}}
	s, err := b.NewSession(hooks)
	if err != nil {
		t.Fatal(err)
	}
	b.bind(s.Router, loopback(9))
	b.bind(s.Device, loopback(5))
	b.feed(t, loopback(5), payload(100, 100), 100)
	if got := b.Stats().Dropped[DropLimited]; calls != 1 || got != 1 {
		t.Errorf("%d calls, %d datagrams dropped", calls, got)
	}
}
