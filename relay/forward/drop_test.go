package forward

import (
	"maps"
	"net/netip"
	"testing"
	"time"

	"github.com/lethe-relay/lethe/internal/udpio"
	"github.com/lethe-relay/lethe/internal/wire"
)

// bench is a plane that nobody runs: the test hands its loop what it likes.
type bench struct {
	*Plane
	l *loop
	s *Session
}

// The addresses of the bound session on a bench.
const benchDevice, benchRouter = 1, 2

// newBench makes one with a session whose legs are bound to made-up addresses.
func newBench(t testing.TB) bench {
	t.Helper()
	cfg := testConfig()
	cfg.Sockets, cfg.OneWayBytes, cfg.MaxSessions, cfg.BufferBytes = 1, 1<<40, 200, 8<<20
	p, err := Listen(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	s, err := p.NewSession(Hooks{})
	if err != nil {
		t.Fatal(err)
	}
	b := bench{p, p.loops[0], s}
	b.bind(s.Device, address(benchDevice))
	b.bind(s.Router, address(benchRouter))
	return b
}

func (b bench) bind(l *Leg, to udpio.Addr) {
	l.mu.Lock()
	defer l.mu.Unlock()
	b.move(l, l.path.Load(), udpio.Path{Remote: to})
}

// feed has the loop do what it does with one message.
func (b bench) feed(t testing.TB, from udpio.Addr, bytes []byte, segSize int) {
	t.Helper()
	batch := udpio.NewBatch(1)
	batch[0].N, batch[0].SegSize, batch[0].Path = copy(batch[0].Buf, bytes), segSize, udpio.Path{Remote: from}
	if err := b.l.send(b.l.route(batch)); err != nil {
		t.Fatal(err)
	}
}

// TestEveryDropReason produces each reason, and that one only. A reason that is
// not in its table fails it.
func TestEveryDropReason(t *testing.T) {
	device, stranger := address(benchDevice), address(99)
	legMessage := func(m wire.LegMessage, secret wire.LegSecret) []byte { return m.Append(nil, &secret) }
	produce := map[DropReason]func(t *testing.T, b bench) (datagrams uint64){
		DropPeerUnbound: func(t *testing.T, b bench) uint64 {
			b.table.remove(address(benchRouter), b.s.Router)
			b.s.Router.path.Store(nil)
			b.feed(t, device, payload(3000, 1000), 1000)
			return 3
		},
		DropControlStray: func(t *testing.T, b bench) uint64 {
			b.feed(t, stranger, shortHeader(300, 100), 100)
			return 3
		},
		DropOneWay: func(t *testing.T, b bench) uint64 {
			b.cfg.OneWayBytes = 99
			b.s.Device.bytes.Store(100)
			b.feed(t, device, payload(300, 100), 100)
			return 3
		},
		DropLimited: func(t *testing.T, b bench) uint64 {
			b.s.Limit(299, time.Time{})
			b.feed(t, device, payload(300, 100), 100)
			return 3
		},
		DropOverRate: func(t *testing.T, b bench) uint64 {
			b.atRate(1000, 1000)
			b.feed(t, device, payload(300, 100), 100)
			return 3
		},
		DropOverShare: func(t *testing.T, b bench) uint64 {
			b.overload()
			b.s.Device.fair.paid.Store(b.l.share.line)
			b.feed(t, device, payload(300, 100), 100)
			return 3
		},
		DropTooBig: func(t *testing.T, b bench) uint64 {
			b.bind(b.s.Router, loopback(9))
			b.feed(t, device, payload(udpio.MaxBatchBytes, udpio.MaxBatchBytes), 0) // no IP packet takes so much
			return 1
		},
		DropNoBuffer: func(t *testing.T, b bench) uint64 {
			b.bind(b.s.Router, loopback(9))
			b.l.conn.SetWriteDeadline(time.Now().Add(-time.Second))
			batch := udpio.NewBatch(1)
			batch[0].N, batch[0].SegSize, batch[0].Path.Remote = copy(batch[0].Buf, payload(300, 100)), 100, device
			if err := b.l.send(b.l.route(batch)); err != nil {
				t.Errorf("having waited for too long ends the relay: %v", err)
			}
			return 3
		},
		DropUnreachable: func(t *testing.T, b bench) uint64 {
			v6 := udpio.AddrFrom(netip.MustParseAddrPort("[2001:db8::1]:9")) // the socket speaks IPv4
			b.bind(b.s.Router, v6)
			b.feed(t, device, payload(300, 100), 100)
			return 3
		},
		DropSendFailed: func(t *testing.T, b bench) uint64 {
			b.bind(b.s.Router, loopback(0)) // nothing can be sent to port 0
			b.feed(t, device, payload(300, 100), 100)
			return 3
		},
		DropNotLeg: func(t *testing.T, b bench) uint64 {
			b.feed(t, stranger, make([]byte, 300), 100)
			b.feed(t, device, nil, 0)
			return 4
		},
		DropWrongWay: func(t *testing.T, b bench) uint64 {
			l := b.s.Device
			b.feed(t, device, legMessage(wire.LegMessage{Type: wire.TypeBound, Leg: l.id, Counter: 1}, l.Secret()), 0)
			return 1
		},
		DropUnknownLeg: func(t *testing.T, b bench) uint64 {
			b.feed(t, stranger, legMessage(wire.LegMessage{Type: wire.TypeBind, Leg: 1, Counter: 1}, wire.LegSecret{}), 0)
			return 1
		},
		DropLateUnbind: func(t *testing.T, b bench) uint64 {
			b.feed(t, stranger, legMessage(wire.LegMessage{Type: wire.TypeUnbind, Leg: 1, Counter: 1}, wire.LegSecret{}), 0)
			return 1
		},
		DropBadMAC: func(t *testing.T, b bench) uint64 {
			l := b.s.Device
			b.feed(t, device, legMessage(wire.LegMessage{Type: wire.TypeUnbind, Leg: l.id, Counter: 1}, b.s.Router.Secret()), 0)
			return 1
		},
		DropReplay: func(t *testing.T, b bench) uint64 {
			l := b.s.Device
			b.feed(t, device, legMessage(wire.LegMessage{Type: wire.TypeBind, Leg: l.id}, l.Secret()), 0) // counters start above 0
			return 1
		},
		DropControlFull: func(t *testing.T, b bench) uint64 {
			for range controlQueue {
				b.feed(t, stranger, payload(10, 10), 0)
			}
			b.feed(t, stranger, payload(20, 10), 10)
			if _, _, err := b.control.ReadFrom(make([]byte, 10)); err != nil {
				t.Error(err)
			}
			b.feed(t, stranger, payload(10, 10), 0) // there is a place again
			return 2
		},
		DropControlTooBig: func(t *testing.T, b bench) uint64 {
			b.feed(t, stranger, payload(controlDatagram, controlDatagram), 0) // fits
			b.feed(t, stranger, payload(controlDatagram+1, controlDatagram+1), 0)
			return 1
		},
	}
	for _, why := range DropReasons() {
		t.Run(why.String(), func(t *testing.T) {
			if produce[why] == nil {
				t.Fatal("no test produces this reason")
			}
			b := newBench(t)
			n := produce[why](t, b)
			if got, want := nonZero(b.Stats().Dropped), map[DropReason]uint64{why: n}; !maps.Equal(got, want) {
				t.Errorf("dropped %v, want %v", got, want)
			}
			if st := b.Stats(); st.Datagrams != 0 || st.Bytes != 0 {
				t.Errorf("%d datagrams, %d bytes count as forwarded", st.Datagrams, st.Bytes)
			}
		})
	}
}

func loopback(port uint16) udpio.Addr {
	return udpio.AddrFrom(netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), port))
}

func TestDropReasonsHaveNames(t *testing.T) {
	seen := make(map[string]bool)
	for _, why := range DropReasons() {
		if name := why.String(); name == "" || seen[name] {
			t.Errorf("reason %d is named %q", why, name)
		} else {
			seen[name] = true
		}
	}
}

// TestControlCountsWhatItCantSend: the kernel's refusals to the control plane are drops too.
func TestControlCountsWhatItCantSend(t *testing.T) {
	b := newBench(t)
	b.feed(t, loopback(0), payload(10, 10), 0)
	_, from, err := b.control.ReadFrom(make([]byte, 10))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.control.WriteTo([]byte{1}, from); err != nil {
		t.Errorf("WriteTo = %v; datagrams may be lost, that is no error", err)
	}
	if got := nonZero(b.Stats().Dropped); !maps.Equal(got, map[DropReason]uint64{DropSendFailed: 1}) {
		t.Errorf("dropped %v", got)
	}
}

// TestUnsentAnswerIsCounted: so is an answer to a leg message that can't be sent.
func TestUnsentAnswerIsCounted(t *testing.T) {
	b := newBench(t)
	l := b.s.Device
	secret := l.Secret()
	b.feed(t, loopback(0), wire.LegMessage{Type: wire.TypeBind, Leg: l.id, Counter: 1}.Append(nil, &secret), 0)
	if got := nonZero(b.Stats().Dropped); !maps.Equal(got, map[DropReason]uint64{DropSendFailed: 1}) {
		t.Errorf("dropped %v", got)
	}
}
