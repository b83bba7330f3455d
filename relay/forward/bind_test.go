package forward

import (
	"maps"
	"testing"

	"github.com/lethe-relay/lethe/internal/wire"
)

func TestBind(t *testing.T) {
	r := start(t, nil)
	s := r.session(t, Hooks{})
	device, router := r.endpoint(t, "127.0.0.1", s.Device), r.endpoint(t, "127.0.0.1", s.Router)
	device.bind()
	if !s.Device.Bound() || s.Router.Bound() {
		t.Fatalf("bound: device %t, router %t", s.Device.Bound(), s.Router.Bound())
	}

	// The router's address gets and gives nothing before it has echoed the cookie.
	cookie := router.ask(wire.Cookie{}, wire.TypeCookie).Cookie
	if s.Router.Bound() {
		t.Fatal("bound without a cookie")
	}
	device.sendOne(payload(100, 100))
	device.quiet()
	router.sendOne(payload(100, 100))
	router.quiet()
	device.quiet()
	st := r.Stats()
	if st.Datagrams != 0 || st.Dropped[DropPeerUnbound] != 1 || st.Control != 1 {
		t.Fatalf("before the cookie: %+v", st)
	}

	router.ask(cookie, wire.TypeBound)
	device.sendOne(payload(100, 100))
	router.want(payload(100, 100))
	router.sendOne(payload(60, 60))
	device.want(payload(60, 60))
}

func TestBindAgainNeedsNoCookie(t *testing.T) {
	r := start(t, nil)
	device, router, _ := r.pair(t, "127.0.0.1", "127.0.0.1")
	for range 3 {
		device.ask(wire.Cookie{}, wire.TypeBound)
	}
	router.sendOne(payload(10, 10))
	device.want(payload(10, 10))
}

// TestAnswersAreNoLargerThanQuestions counts the bytes both ways.
func TestAnswersAreNoLargerThanQuestions(t *testing.T) {
	r := start(t, nil)
	e := r.endpoint(t, "127.0.0.1", r.session(t, Hooks{}).Device)
	for _, cookie := range []func() wire.Cookie{
		func() wire.Cookie { return wire.Cookie{} },
		func() wire.Cookie { return wire.Cookie{1} },
		func() wire.Cookie { return r.cookies.make(e.addr(), e.id) },
	} {
		question := e.message(wire.TypeBind, cookie())
		e.sendOne(question)
		if answer := e.read(); answer.N > len(question) || answer.Datagrams() != 1 {
			t.Errorf("%d bytes in %d datagrams answer %d bytes", answer.N, answer.Datagrams(), len(question))
		}
	}
	e.quiet()
}

func TestBindRefused(t *testing.T) {
	other := func(e *endpoint, m wire.LegMessage) []byte { return m.Append(nil, &e.secret) }
	for _, tt := range []struct {
		name string
		why  DropReason
		make func(e *endpoint) []byte
	}{
		{"wrong MAC", DropBadMAC, func(e *endpoint) []byte {
			b := e.message(wire.TypeBind, wire.Cookie{})
			b[len(b)-1] ^= 1
			return b
		}},
		{"counter altered", DropBadMAC, func(e *endpoint) []byte {
			b := e.message(wire.TypeBind, wire.Cookie{})
			b[12] = 0xff
			return b
		}},
		{"secret of the other leg", DropBadMAC, func(e *endpoint) []byte {
			return wire.LegMessage{Type: wire.TypeBind, Leg: e.id, Counter: 99}.Append(nil, new(e.spare.Secret()))
		}},
		{"UNBIND with a wrong MAC", DropBadMAC, func(e *endpoint) []byte {
			b := e.message(wire.TypeUnbind, wire.Cookie{})
			b[40] ^= 0x80
			return b
		}},
		{"unknown leg", DropUnknownLeg, func(e *endpoint) []byte {
			return other(e, wire.LegMessage{Type: wire.TypeBind, Leg: e.id + 1, Counter: 99})
		}},
		{"UNBIND of an unknown leg", DropLateUnbind, func(e *endpoint) []byte {
			return other(e, wire.LegMessage{Type: wire.TypeUnbind, Leg: e.id + 1, Counter: 99})
		}},
		{"replayed", DropReplay, func(e *endpoint) []byte {
			return other(e, wire.LegMessage{Type: wire.TypeBind, Leg: e.id, Counter: e.counter})
		}},
		{"lower counter", DropReplay, func(e *endpoint) []byte {
			return other(e, wire.LegMessage{Type: wire.TypeBind, Leg: e.id, Counter: e.counter - 1})
		}},
		{"replayed UNBIND", DropReplay, func(e *endpoint) []byte {
			return other(e, wire.LegMessage{Type: wire.TypeUnbind, Leg: e.id, Counter: e.counter})
		}},
		{"COOKIE to the relay", DropWrongWay, func(e *endpoint) []byte { return e.message(wire.TypeCookie, wire.Cookie{1}) }},
		{"BOUND to the relay", DropWrongWay, func(e *endpoint) []byte { return e.message(wire.TypeBound, wire.Cookie{}) }},
		{"too short", DropNotLeg, func(e *endpoint) []byte { return e.message(wire.TypeBind, wire.Cookie{})[:51] }},
		{"too long", DropNotLeg, func(e *endpoint) []byte { return append(e.message(wire.TypeBind, wire.Cookie{}), 0) }},
		{"other version", DropNotLeg, func(e *endpoint) []byte {
			b := e.message(wire.TypeBind, wire.Cookie{})
			b[1] = 2
			return b
		}},
		{"empty", DropNotLeg, func(*endpoint) []byte { return nil }},
		{"STUN", DropNotLeg, func(*endpoint) []byte { return []byte("\x00\x01\x00\x00\x21\x12\xa4\x42") }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := start(t, nil)
			device, router, s := r.pair(t, "127.0.0.1", "127.0.0.1")
			device.sendOne(tt.make(device))
			device.quiet()
			if got, want := r.dropped(), map[DropReason]uint64{tt.why: 1}; !maps.Equal(got, want) {
				t.Errorf("dropped %v, want %v", got, want)
			}
			if !s.Device.Bound() || !s.Router.Bound() {
				t.Fatal("a leg lost its address")
			}
			router.sendOne(payload(10, 10))
			device.want(payload(10, 10))
		})
	}
}

// TestCookieRefused: a BIND with a cookie that is not right counts as one
// without, so it gets a new cookie and binds nothing.
func TestCookieRefused(t *testing.T) {
	r := start(t, nil)
	for _, tt := range []struct {
		name   string
		cookie func(e *endpoint) wire.Cookie
		want   wire.Type
	}{
		{"right", func(e *endpoint) wire.Cookie { return r.cookies.make(e.addr(), e.id) }, wire.TypeBound},
		{"made up", func(e *endpoint) wire.Cookie { return wire.Cookie{1, 2, 3} }, wire.TypeCookie},
		{"of another port", func(e *endpoint) wire.Cookie {
			a := e.addr()
			a.Port++
			return r.cookies.make(a, e.id)
		}, wire.TypeCookie},
		{"of another address", func(e *endpoint) wire.Cookie {
			a := e.addr()
			a.IP[15]++
			return r.cookies.make(a, e.id)
		}, wire.TypeCookie},
		{"of another leg", func(e *endpoint) wire.Cookie { return r.cookies.make(e.addr(), e.id+1) }, wire.TypeCookie},
		{"one key turn old", func(e *endpoint) wire.Cookie {
			c := r.cookies.make(e.addr(), e.id)
			r.cookies.rotate()
			return c
		}, wire.TypeBound},
		{"two key turns old", func(e *endpoint) wire.Cookie {
			c := r.cookies.make(e.addr(), e.id)
			r.cookies.rotate()
			r.cookies.rotate()
			return c
		}, wire.TypeCookie},
	} {
		t.Run(tt.name, func(t *testing.T) {
			leg := r.session(t, Hooks{}).Device
			e := r.endpoint(t, "127.0.0.1", leg)
			e.ask(tt.cookie(e), tt.want)
			if bound := tt.want == wire.TypeBound; leg.Bound() != bound {
				t.Errorf("Bound() = %t, want %t", leg.Bound(), bound)
			}
		})
	}
}
