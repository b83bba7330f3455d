package control

import (
	"sync"

	"github.com/lethe-relay/lethe/auth"
)

// between names the two ends of sessions.
type between struct {
	device auth.DeviceID
	router auth.RouterID
}

// holdings is what the relay holds about devices, so that they can ask for it:
// who is connected, and which sessions live. An entry goes with what it stands for.
type holdings struct {
	mu          sync.Mutex
	connections map[auth.DeviceID]int
	sessions    map[between]map[*live]struct{}
}

func newHoldings() *holdings {
	return &holdings{connections: make(map[auth.DeviceID]int), sessions: make(map[between]map[*live]struct{})}
}

// connected counts a connection until gone is called.
func (h *holdings) connected(device auth.DeviceID) (gone func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.connections[device]++
	return func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		if h.connections[device]--; h.connections[device] == 0 {
			delete(h.connections, device)
		}
	}
}

func (h *holdings) add(l *live) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.sessions[l.between] == nil {
		h.sessions[l.between] = make(map[*live]struct{})
	}
	h.sessions[l.between][l] = struct{}{}
}

func (h *holdings) remove(l *live) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.sessions[l.between], l)
	if len(h.sessions[l.between]) == 0 {
		delete(h.sessions, l.between)
	}
}

// of returns the sessions, and how many connections their device has.
func (h *holdings) of(who between) (sessions []*live, connections int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for l := range h.sessions[who] {
		sessions = append(sessions, l)
	}
	return sessions, h.connections[who.device]
}
