package forward

import (
	"crypto/rand"
	"encoding/binary"
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
	onEnd          func(EndReason)

	// owned by the Plane's sweeper
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

	// guarded by mu
	mu      sync.Mutex
	secret  wire.LegSecret
	counter uint64    // of the last BIND or UNBIND taken
	heard   time.Time // when that was
	closed  bool

	// read by the loops; written under mu
	path atomic.Pointer[udpio.Path] // nil while the leg is bound to no address

	// written by the loop that owns the leg's source address
	datagrams atomic.Uint64
	bytes     atomic.Uint64
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
)

func (r EndReason) String() string {
	return [...]string{"unbound", "idle", "not_bound", "by_relay"}[r]
}

func newSession(now time.Time, onEnd func(EndReason)) *Session {
	s := &Session{Device: newLeg(), Router: newLeg(), onEnd: onEnd, active: now}
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

func (s *Session) legs() [2]*Leg { return [2]*Leg{s.Device, s.Router} }
