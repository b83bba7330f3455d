package drive

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/lethe-relay/lethe/bench/proc"
	"github.com/lethe-relay/lethe/bench/retention/canary"
)

// Way is how the sessions of a group end.
type Way string

// The ways.
const (
	Closed       Way = "closed"        // the devices say so
	Erased       Way = "erased"        // the relay ends them, since the devices ask it to erase what it holds
	Aborted      Way = "aborted"       // both ends are killed; the relay's idle time-out ends them
	Frozen       Way = "frozen"        // both ends stop and keep their sockets; the relay's idle time-out ends them
	RouterKilled Way = "router killed" // the routers are killed; the devices notice and give up
)

// Ways are all of them, those whose end takes long first.
func Ways() []Way { return []Way{Aborted, Frozen, RouterKilled, Closed, Erased} }

// About is the way as a sentence of a report.
func (w Way) About() string {
	switch w {
	case Closed:
		return "the devices close their sessions"
	case Erased:
		return "the devices have the relay erase their sessions"
	case Aborted:
		return "devices and routers are killed in mid-session, and the relay's idle time-out ends the sessions"
	case Frozen:
		return "devices and routers stop in mid-session, and the relay's idle time-out ends the sessions"
	case RouterKilled:
		return "the routers are killed in mid-session, and the devices give up"
	}
	return ""
}

// reason is what the relay counts such an end as.
func (w Way) reason() string {
	switch w {
	case Aborted, Frozen:
		return endIdle
	case Erased:
		return endByRelay
	}
	return endUnbound
}

// stage is where the processes of an audit run, and what they share.
type stage struct {
	ctx    context.Context
	url    string
	key    canary.Key
	cpus   []int // that the ends may use; nil: all
	groups int   // numbers given out
}

// group is some sessions that begin and end together, in processes of their own.
type group struct {
	cast
	way      Way
	load     bool // part of the full load
	sessions int
	children []*proc.Child // that which has the devices last
	named    Named
	due      int // sessions of all groups that the relay must have ended for the same reason, up to this one
	ended    int // of its own, by the relay's count

	mu      sync.Mutex
	carried Carried   // guarded by mu
	wrong   []string  // guarded by mu: content that was not what was sent
	begun   time.Time // guarded by mu
	stopped time.Time // guarded by mu: when the ends had sent their last byte
	closed  time.Time // guarded by mu: when the relay had ended all of the sessions
}

// title is what reports call the group.
func (g *group) title() string {
	if g.load {
		return "full load"
	}
	return string(g.way)
}

// state is when the group began to carry, stopped and was closed.
func (g *group) state() (begun, stopped, closed time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.begun, g.stopped, g.closed
}

// lastByte is when the group stopped.
func (g *group) lastByte() time.Time {
	_, stopped, _ := g.state()
	return stopped
}

// told is what the group has sent and checked, and what was wrong, by its last tally.
func (g *group) told() (Carried, []string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.carried, g.wrong
}

// mark sets one of the times.
func (g *group) mark(which *time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	*which = time.Now()
}

func (s *stage) newGroup(way Way, sessions int) *group {
	s.groups++
	return &group{cast: cast{group: s.groups}, way: way, sessions: sessions}
}

func (s *stage) shared(g *group) Shared { return Shared{Relay: s.url, Key: s.key, Group: g.group} }

// start starts a process of the group and opens it.
func (s *stage) start(g *group, part string, config any) error {
	child, err := proc.Start(s.ctx, part, s.cpus)
	if err != nil {
		return err
	}
	g.children = append(g.children, child)
	return child.Ask(askOpen, config, nil)
}

// open opens a group of paced sessions, half of them with tunnels, or of tunnels
// that go as fast as they can.
func (s *stage) open(way Way, sessions int, full bool) (*group, error) {
	g := s.newGroup(way, sessions)
	g.load = full
	bare := sessions / 2
	if full {
		bare = 0
	}
	r, d, err := g.ends(sessions, bare)
	if err != nil {
		return g, err
	}
	r.Shared, d.Shared, r.Full, d.Full = s.shared(g), s.shared(g), full, full
	if err := s.start(g, routersPart, r); err != nil {
		return g, err
	}
	if err := s.start(g, devicesPart, d); err != nil {
		return g, err
	}
	return g, g.learn()
}

// openFull opens the full load: sessions without tunnels, both ends of which are
// in one process.
func (s *stage) openFull(sessions int) (*group, error) {
	g := s.newGroup(Closed, sessions)
	g.load = true
	f, err := g.pairs(sessions)
	if err != nil {
		return g, err
	}
	f.Shared = s.shared(g)
	if err := s.start(g, fullPart, f); err != nil {
		return g, err
	}
	return g, g.learn()
}

// learn asks the children what the relay knows their sessions by.
func (g *group) learn() error {
	for _, child := range g.children {
		var n Named
		if err := child.Ask(askNamed, struct{}{}, &n); err != nil {
			return err
		}
		g.know(n)
		g.named.add(n)
	}
	g.mark(&g.begun)
	return nil
}

// tally asks the children what they have sent and checked so far.
func (g *group) tally() error {
	var all Carried
	var wrong []string
	for _, child := range g.children {
		var t Told
		if err := child.Ask(askProgress, struct{}{}, &t); err != nil {
			return err
		}
		all.Add(t.Carried)
		if t.Wrong != "" {
			wrong = append(wrong, fmt.Sprintf("%s: %s", child.Part(), t.Wrong))
		}
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.carried, g.wrong = all, wrong
	return nil
}

// end makes the sessions end in their way. What was carried is asked for before
// the ends are killed.
func (g *group) end() (err error) {
	devices := g.children[len(g.children)-1]
	switch g.way {
	case Aborted, Frozen, RouterKilled:
		err = g.cut()
	case Erased:
		if err = g.ask(askQuiet, struct{}{}); err == nil {
			err = devices.Ask(askClose, byErasure, nil)
		}
	default:
		// The routers first: what they send to sessions that are closed would
		// be found, and is no session's.
		for _, child := range g.children[:len(g.children)-1] {
			if err = child.Ask(askQuiet, struct{}{}, nil); err != nil {
				return err
			}
		}
		err = devices.Ask(askClose, byUnbind, nil)
	}
	g.mark(&g.stopped)
	if err == nil && (g.way == Closed || g.way == Erased) {
		err = g.tally()
	}
	return err
}

// cut ends the sessions without a word.
func (g *group) cut() error {
	if err := g.tally(); err != nil {
		return err
	}
	routers, devices := g.children[0], g.children[1]
	switch g.way {
	case Frozen:
		if err := routers.Freeze(); err != nil {
			return err
		}
		return devices.Freeze()
	case Aborted:
		routers.Kill()
		devices.Kill()
		return nil
	}
	routers.Kill()
	return devices.Ask(askClose, byStall, nil)
}

func (g *group) ask(do string, args any) error {
	for _, child := range g.children {
		if err := child.Ask(do, args, nil); err != nil {
			return err
		}
	}
	return nil
}

// leave ends the processes, when the sessions are over.
func (g *group) leave() {
	for _, child := range g.children {
		if g.way == Frozen {
			child.Kill()
		}
		child.Stop()
	}
}
