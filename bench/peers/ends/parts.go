package ends

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/lethe-relay/lethe/bench/proc"
)

// Part is the name that [proc.Start] takes.
const Part = "ends"

// Requests.
const (
	Open     = "open"     // [Config]
	Load     = "load"     // [Work]: datagrams or a stream begin to flow
	Probe    = "probe"    // now and then something goes over one session
	Progress = "progress" // answer [Moved]
	Hold     = "hold"     // a number: as many more idle clients are registered
)

// Kind says how the ends meet.
type Kind string

// The kinds.
const (
	Lethe       Kind = "lethe"
	TURNPeer    Kind = "turn peer"
	TURNClients Kind = "turn clients"
	UDP         Kind = "udp"
	Strelay     Kind = "strelay"
	DERP        Kind = "derp"
	TCP         Kind = "tcp"
)

// Config is what the part is opened with.
type Config struct {
	Kind  Kind
	Relay string // ip:port; of Lethe the URL with token; of no relay nothing

	User, Password        string // TURN
	Router, Device, Grant []byte // Lethe: two keys in PEM, and a grant
}

// Work says what flows.
type Work struct {
	Sessions int // whose datagrams take turns; a stream has one
	Run      int // datagrams of a session in a row, in one GSO send
	Window   int // datagrams, or bytes of a stream, that are under way at once; 0: no limit but the system's
}

// Moved is the answer to Progress.
type Moved struct {
	Received  uint64  // payload bytes that came in and were right, in all
	Datagrams uint64  // as which they came; 0 for a stream
	Lost      uint64  // datagrams that were sent and never came, in all
	Least     uint64  // datagrams that came over the session that got least
	Delays    []int64 // nanoseconds on the way, of what a probe has sent since it began
}

// ends is the part.
type ends struct {
	config Config
	flow   flow
	closer closers
}

// New returns the part.
func New() proc.Part {
	e := &ends{}
	return proc.Part{
		Handlers: map[string]proc.Handler{
			Open:     proc.Handle(e.open),
			Load:     proc.Handle(e.load),
			Probe:    proc.Handle(e.probe),
			Progress: proc.Handle(e.progress),
			Hold:     proc.Handle(e.hold),
		},
		Close: e.closer.close,
	}
}

// open remembers how the ends meet; they do when there is something to do for them.
func (e *ends) open(_ context.Context, c Config) (any, error) {
	e.config = c
	return nil, nil
}

// flow is what goes between the ends until they are closed.
type flow interface{ moved() (Moved, error) }

var (
	errFlows   = errors.New("something flows already")
	errNothing = errors.New("nothing flows")
)

func (e *ends) load(ctx context.Context, w Work) (_ any, err error) {
	if e.flow != nil {
		return nil, errFlows
	}
	if e.config.Kind.Stream() {
		e.flow, err = e.loadStream(ctx, w)
	} else {
		e.flow, err = e.loadDatagrams(ctx, w)
	}
	return nil, err
}

func (e *ends) probe(ctx context.Context, _ struct{}) (_ any, err error) {
	if e.flow != nil {
		return nil, errFlows
	}
	if e.config.Kind.Stream() {
		e.flow, err = e.probeStream(ctx)
	} else {
		e.flow, err = e.probeDatagrams(ctx)
	}
	return nil, err
}

func (e *ends) progress(context.Context, struct{}) (any, error) {
	if e.flow == nil {
		return nil, errNothing
	}
	return e.flow.moved()
}

// hold returns when all of them are registered.
func (e *ends) hold(ctx context.Context, more int) (any, error) {
	for range more {
		end, err := e.config.idleClient(ctx)
		if err != nil {
			return nil, fmt.Errorf("an idle client: %w", err)
		}
		e.closer.later(end)
	}
	return nil, nil
}

// Stream says whether a stream goes between the ends, and not datagrams.
func (k Kind) Stream() bool { return k == Strelay || k == DERP || k == TCP }

// idleClient registers a client that nobody else knows of, and returns what closes it.
func (c Config) idleClient(ctx context.Context) (end func(), err error) {
	switch c.Kind {
	case Lethe:
		return c.idleRouter(ctx)
	case TURNPeer, TURNClients:
		return c.idleAllocation(ctx)
	case Strelay:
		return c.idleStrelay(ctx)
	case DERP:
		return c.idleDERP(ctx)
	}
	return nil, fmt.Errorf("there are no clients of kind %q", c.Kind)
}

// closers are what remains to be closed, in the order in which it was opened.
type closers []func()

func (c *closers) later(f func()) { *c = append(*c, f) }

// before has f called after all that is there has been closed.
func (c *closers) before(f func()) { *c = slices.Insert(*c, 0, f) }

// close closes what was opened last first.
func (c *closers) close() {
	for i := range *c {
		(*c)[len(*c)-1-i]()
	}
	*c = nil
}
