package tunnel

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"

	"github.com/quic-go/quic-go"

	"github.com/lethe-relay/lethe/auth/ecv"
	"github.com/lethe-relay/lethe/internal/wire"
)

// Verdict is the router's word on what a device shows of its environment.
type Verdict struct {
	ecv.Judgement
	Needed        uint16   // the score that would be enough
	PIN, Approval bool     // the confirmations that the router takes
	Withheld      []string // services of the grant that stay shut until then
}

// showing is the device's end of a tunnel's first stream: it shows evidence and
// keeps what the router says of it. It has two goroutines, read and follow,
// which end with the stream.
type showing struct {
	// static
	qs      *quic.Stream
	env     Environment
	renewed func(grant []byte) // may be nil
	due     chan struct{}      // gets a token when the router wants fresh evidence
	heard   chan struct{}      // closed when there is a verdict, or will be none

	turn     chan struct{} // has the one turn to gather and show evidence, so that the newest is the last
	renewing sync.Mutex    // held while renewed is called

	// guarded by mu
	mu      sync.Mutex
	verdict *Verdict // the latest
	err     error    // why there will be no other
}

// show opens the tunnel's first stream with the evidence. It does not wait for
// the verdict: that would cost a round trip before the first request.
func show(ctx context.Context, s *session, cfg DialConfig, e ecv.Evidence) (*showing, error) {
	qs, err := s.conn.OpenStreamSync(ctx)
	if err != nil {
		return nil, streamError("router", err)
	}
	w := &showing{
		qs: qs, env: cfg.Environment, renewed: cfg.Renewed,
		due: make(chan struct{}, 1), heard: make(chan struct{}), turn: make(chan struct{}, 1),
	}
	w.turn <- struct{}{}
	if err := wire.WriteMessage(qs, wireEvidence(e)); err != nil {
		return nil, streamError("router", err)
	}
	go w.read()
	go w.follow(s.leg.moved)
	return w, nil
}

// read takes the router's verdicts until the tunnel ends.
func (s *showing) read() {
	for {
		m, err := wire.Expect[*wire.Verdict](s.qs)
		if err != nil {
			s.end(streamError("router", err))
			return
		}
		v := s.take(m)
		s.settle(func() { s.verdict = &v })
		if slices.Contains(v.Reasons, ecv.EvidenceDue) {
			signal(s.due)
		}
	}
}

// take reads a verdict, and gives its grant away before anybody sees it.
func (s *showing) take(m *wire.Verdict) Verdict {
	if len(m.Grant) > 0 && s.renewed != nil {
		s.renewing.Lock()
		s.renewed(m.Grant)
		s.renewing.Unlock()
	}
	v := Verdict{
		Judgement: ecv.Judgement{Verdict: verdictOf(m.Verdict), Score: uint16(m.Score), Reasons: ecv.ParseReasons(m.Reasons)},
		Needed:    uint16(m.Needed), PIN: m.PIN, Approval: m.Approval,
	}
	if m.Withheld != "" {
		v.Withheld = strings.Split(m.Withheld, ",")
	}
	return v
}

// end gives the stream up: what else comes on it could not be read.
func (s *showing) end(err error) {
	s.qs.CancelRead(0)
	s.qs.CancelWrite(0)
	s.settle(func() { s.err = err })
}

// settle changes what is known, for whoever waits to hear the first of it.
func (s *showing) settle(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	waited := s.verdict == nil && s.err == nil
	change()
	if waited {
		close(s.heard)
	}
}

// follow shows fresh evidence whenever the leg has moved, or the router wants
// it, until the tunnel ends.
func (s *showing) follow(moved <-chan struct{}) {
	ctx := s.qs.Context()
	for {
		select {
		case <-moved:
		case <-s.due:
		case <-ctx.Done():
			return
		}
		s.again(ctx) // an error is the tunnel's end
	}
}

// again gathers evidence and shows it.
func (s *showing) again(ctx context.Context) error {
	select {
	case <-s.turn:
		defer func() { s.turn <- struct{}{} }()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	evidence := gather(ctx, s.env)()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	stop := context.AfterFunc(ctx, func() { s.qs.CancelWrite(0) }) // a router that does not read
	defer stop()
	return streamError("router", wire.WriteMessage(s.qs, wireEvidence(evidence)))
}

// await returns the latest verdict, once there is one.
func (s *showing) await(ctx context.Context) (Verdict, error) {
	select {
	case <-s.heard:
	case <-ctx.Done():
		return Verdict{}, context.Cause(ctx)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.verdict != nil {
		return *s.verdict, nil
	}
	return Verdict{}, s.err
}

// explained adds the reasons that the router has given to an error that is its
// verdict.
func (s *showing) explained(err error) error {
	var refused *RefusedError
	if !errors.As(err, &refused) {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if v := s.verdict; v != nil && wire.Code(refused.Code) == codeOfVerdict(v.Verdict) && refused.Reasons == nil {
		refused.Reasons = v.Reasons
	}
	return err
}
