package control

import (
	"context"
	"sync"
	"time"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/internal/forgetful"
)

// between names the two ends of sessions.
type between struct {
	device auth.DeviceID
	router auth.RouterID
}

// holdings is what the relay holds about devices and routers, so that it can be
// asked for: who is connected, and which sessions live. An entry goes with what
// it stands for.
type holdings struct {
	mu       sync.Mutex
	peers    *forgetful.Map[auth.DeviceID, map[*peer]struct{}] // every authenticated connection; a router's key has a DeviceID, too
	sessions *forgetful.Map[between, map[*live]struct{}]
}

func newHoldings() *holdings {
	return &holdings{peers: forgetful.New[auth.DeviceID, map[*peer]struct{}](), sessions: forgetful.New[between, map[*live]struct{}]()}
}

// connected holds a connection.
func (h *holdings) connected(p *peer) {
	h.mu.Lock()
	defer h.mu.Unlock()
	put(h.peers, auth.DeviceIDOf(p.key), p)
}

// gone lets go of a connection.
func (h *holdings) gone(p *peer) {
	h.mu.Lock()
	defer h.mu.Unlock()
	drop(h.peers, auth.DeviceIDOf(p.key), p)
}

func (h *holdings) add(l *live) {
	h.mu.Lock()
	defer h.mu.Unlock()
	put(h.sessions, l.between, l)
}

func (h *holdings) remove(l *live) {
	h.mu.Lock()
	defer h.mu.Unlock()
	drop(h.sessions, l.between, l)
}

// of returns the sessions, and how many connections their device has.
func (h *holdings) of(who between) (sessions []*live, connections int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for l := range h.sessions.Get(who) {
		sessions = append(sessions, l)
	}
	return sessions, len(h.peers.Get(who.device))
}

// all returns everybody and everything.
func (h *holdings) all() (peers []*peer, sessions []*live) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, of := range h.peers.All() {
		for p := range of {
			peers = append(peers, p)
		}
	}
	for _, of := range h.sessions.All() {
		for l := range of {
			sessions = append(sessions, l)
		}
	}
	return peers, sessions
}

func put[K, V comparable](sets *forgetful.Map[K, map[V]struct{}], key K, v V) {
	set := sets.Get(key)
	if set == nil {
		set = make(map[V]struct{})
		sets.Set(key, set)
	}
	set[v] = struct{}{}
}

func drop[K, V comparable](sets *forgetful.Map[K, map[V]struct{}], key K, v V) {
	set := sets.Get(key)
	delete(set, v)
	if len(set) == 0 {
		sets.Delete(key)
	}
}

// forgetInterval is how often what is kept for a time is looked through. What is
// kept at all does not depend on anybody asking for something.
const forgetInterval = 5 * time.Second

// forget drops what has been kept long enough, until ctx ends.
func (s *Server) forget(ctx context.Context) {
	tick := time.NewTicker(forgetInterval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			s.byDevice.Forget(now)
			s.bySource.Forget(now)
			s.departed.forget(now)
		}
	}
}
