package stage

import (
	"context"
	"errors"
	"time"

	"github.com/lethe-relay/lethe/bench/part"
	"github.com/lethe-relay/lethe/bench/proc"
	"github.com/lethe-relay/lethe/bench/suite"
)

// Stage is a set of processes. It is not safe for concurrent use.
type Stage struct {
	BusyPoll time.Duration // of relays that are started from now on, as in relay.yaml

	ctx      context.Context
	children []*proc.Child
	roles    []string // of the children, as figures name them
	denied   bool     // real time was, to one of them at least
	err      error
}

// New returns an empty stage, whose processes are killed when ctx ends. The
// caller calls Stop.
func New(ctx context.Context) *Stage { return &Stage{ctx: ctx} }

// Start starts a child that plays the part called name. role is what its figures
// are called; cpus are as in [proc.Start].
func (s *Stage) Start(role, name string, cpus []int) *proc.Child {
	if s.err != nil {
		return nil
	}
	child, err := proc.Start(s.ctx, name, cpus)
	if err != nil {
		s.err = err
		return nil
	}
	s.children, s.roles = append(s.children, child), append(s.roles, role)
	return child
}

// StartRelay starts a relay, and returns it with the URL that routers register at.
func (s *Stage) StartRelay(env suite.Env, cpus []int) (relay *proc.Child, url string) {
	relay = s.Start("relay", part.RelayPart, cpus)
	var ready part.RelayReady
	s.Ask(relay, part.Open, part.RelayConfig{Dir: env.Scratch, BusyPoll: s.BusyPoll}, &ready)
	return relay, ready.URL
}

// Ask asks as [proc.Child.Ask] does.
func (s *Stage) Ask(child *proc.Child, do string, args, answer any) {
	if s.err == nil {
		s.err = child.Ask(do, args, answer)
	}
}

// RealTime has a child run before all others, as [proc.Child.RealTime] does.
func (s *Stage) RealTime(child *proc.Child) {
	if s.err == nil {
		s.Preferred(child.RealTime())
	}
}

// Preferred notes whether a process is in real time that is no child.
func (s *Stage) Preferred(granted bool, err error) {
	s.denied = s.denied || !granted
	s.Fail(err)
}

// RealTimeFigure adds to the sample whether all had real time that were to have it.
func (s *Stage) RealTimeFigure(to suite.Sample) {
	to[suite.RealTime] = 1
	if s.denied {
		to[suite.RealTime] = 0
	}
}

// Stop ends the children, those that use others first.
func (s *Stage) Stop() {
	for i := range s.children {
		s.children[len(s.children)-1-i].Stop()
	}
}

// Split gives the relay the last processor and names the others. On a machine
// with one, all share it.
func (s *Stage) Split() (relay, others []int) {
	cpus, err := proc.CPUs()
	if err != nil {
		s.err = errors.Join(s.err, err)
		return nil, nil
	}
	last := len(cpus) - 1
	return cpus[last:], cpus[:max(last, 1)]
}

// Err is the first error that the stage has had.
func (s *Stage) Err() error { return s.err }

// Fail makes err the stage's, unless it has one.
func (s *Stage) Fail(err error) {
	if s.err == nil {
		s.err = err
	}
}

// Try does something unless the stage has an error, and what it returns is the
// stage's from then on.
func (s *Stage) Try(do func() error) {
	if s.err == nil {
		s.err = do()
	}
}
