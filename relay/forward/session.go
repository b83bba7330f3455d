package forward

import (
	"crypto/rand"
	"encoding/binary"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lethe-relay/lethe/internal/udpio"
	"github.com/lethe-relay/lethe/internal/wire"
)

// Session is the relay's state for one tunnel: two legs and their counters.
type Session struct {
	// static
	Device, Router *Leg
	onEnd          func(EndReason) // may be nil

	// read by the loops; written by Limit
	limit atomic.Pointer[limit] // nil while there is none

	// written by the Plane's sweeper, guarded by sweep
	sweep     sync.Mutex
	datagrams uint64    // what the two legs had carried when it last looked
	active    time.Time // when that number last changed

	ended sync.Once
}

// Leg is one side of a [Session].
type Leg struct {
	// static
	id      wire.LegID
	session *Session
	peer    *Leg
	onBound func(netip.Addr) // the device's only; may be nil

	// guarded by mu
	mu      sync.Mutex
	secret  wire.LegSecret
	counter uint64    // of the last BIND or UNBIND taken
	heard   time.Time // when that was
	closed  bool
	told    [16]byte // the address that onBound was last called with

	// read by the loops; written under mu
	path atomic.Pointer[udpio.Path] // nil while the leg is bound to no address

	// written by the loop that owns the leg's source address
	datagrams atomic.Uint64
	bytes     atomic.Uint64
	rate      bucket // of Config.SessionRate
	fair      bucket // of its loop's share, under overload
	asked     tally  // for the same
}

// ID names the leg in leg messages.
func (l *Leg) ID() wire.LegID { return l.id }

// Secret is the key of the leg's messages, for the endpoint alone.
func (l *Leg) Secret() wire.LegSecret {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.secret
}

// Bound tells whether the leg has an address.
func (l *Leg) Bound() bool { return l.path.Load() != nil }

// EndReason says why a session ended.
type EndReason uint8

// Why a session ends.
const (
	EndUnbound  EndReason = iota // an endpoint sent UNBIND
	EndIdle                      // nothing was carried for the idle time-out
	EndNotBound                  // a leg was not bound in time
	EndByRelay                   // the control plane ended it
	EndLimited                   // what its limit allows is used up, or the time is
	endReasons                   // how many there are
)

func (r EndReason) String() string {
	return [endReasons]string{"unbound", "idle", "not_bound", "by_relay", "limited"}[r]
}

// Hooks are called when something happens to a session. Each may be nil.
type Hooks struct {
	// Ended is called once, from any goroutine, when the session has ended.
	Ended func(EndReason)

	// Bound is called with the device's address, without zone or port, when the
	// device's leg is bound to another address than the last one, which the
	// first is too. The address has proved itself by then, and carries nothing
	// before Bound returns. Calls come one at a time, in order, and none after
	// Ended.
	//
	// A loop calls it and holds the leg: it must not block, nor call [Plane.End]
	// or [Leg.Secret], which wait for the leg. [Session.Limit] is fine; what
	// takes longer belongs in a goroutine of its own.
	Bound func(netip.Addr)
}

func newSession(now time.Time, hooks Hooks) *Session {
	s := &Session{Device: newLeg(), Router: newLeg(), onEnd: hooks.Ended, active: now}
	s.Device.onBound = hooks.Bound
	s.Device.session, s.Router.session = s, s
	s.Device.peer, s.Router.peer = s.Router, s.Device
	return s
}

func newLeg() *Leg {
	l := &Leg{}
	var id [8]byte
	rand.Read(id[:])
	rand.Read(l.secret[:])
	l.id = wire.LegID(binary.BigEndian.Uint64(id[:]))
	return l
}

// Bytes is the payload that its legs have sent so far, both together.
func (s *Session) Bytes() uint64 { return s.Device.bytes.Load() + s.Router.bytes.Load() }

func (s *Session) legs() [2]*Leg { return [2]*Leg{s.Device, s.Router} }
