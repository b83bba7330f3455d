package idle

import (
	"context"
	"fmt"
	"time"

	"github.com/lethe-relay/lethe/bench/part"
	"github.com/lethe-relay/lethe/bench/proc"
	"github.com/lethe-relay/lethe/bench/stage"
	"github.com/lethe-relay/lethe/bench/suite"
)

// The lines.
const (
	thousand    = "1,000 routers"
	tenThousand = "10,000 routers"
)

const (
	already = 16  // routers that are there when it begins: the relay has run all of its code
	step    = 500 // registered between two words of progress

	settlePoll = 200 * time.Millisecond
	settleTime = 10 * time.Minute // at most; at 10,000 it is some three
	// settleCycles are the garbage collections after which two of the relay's own rounds
	// have come since the last registration, and the third has begun.
	settleCycles = 7
	// twoKeepAlives is until every router has kept its connection alive again, for which
	// goroutines need larger stacks than a collection leaves them.
	twoKeepAlives = 15 * time.Second

	maxResident = 45 // KB a router
)

// Scenario returns the scenario.
func Scenario() suite.Scenario {
	return suite.Scenario{
		Name:  "idle",
		About: "routers that are registered and do nothing",
		Lines: []suite.Line{
			{Name: thousand, Measure: crowd(1_000).measure, Takes: suite.After(time.Minute)},
			{Name: tenThousand, Measure: crowd(10_000).measure, Long: true, Takes: suite.After(4 * time.Minute)},
		},
		MostRounds: 1, // the relay takes minutes to collect what ten thousand handshakes have left
		Columns: []suite.Column{
			{Figure: resident, Head: "KB/router", Decimals: 1, Spread: true},
			{Figure: heap, Head: "Go heap", Decimals: 1},
			{Figure: stacks, Head: "stacks", Decimals: 1},
			{Figure: goroutines, Head: "goroutines", Decimals: 2},
			{Figure: perMinute, Head: "relay CPU-ms/min", Decimals: 2, Spread: true},
			{Figure: growth, Head: "growth %/min", Decimals: 1, Spread: true},
			{Figure: perRegistration, Head: "CPU-ms to register", Decimals: 2},
		},
		Bars: []suite.Bar{
			{What: "KB of the relay's memory for each router", Figure: resident, Lines: []string{thousand, tenThousand}, AtMost: maxResident},
		},
	}
}

// crowd is how many routers a line has.
type crowd int

func (n crowd) measure(ctx context.Context, env suite.Env) (suite.Sample, error) {
	s := stage.New(ctx)
	defer s.Stop()
	cpus, others := s.Split()
	relay, url := s.StartRelay(env, cpus)
	w := &watch{stage: s, env: env, relay: relay, routers: s.Start("routers", part.RoutersPart, others)}
	s.Ask(w.routers, part.Open, part.RoutersConfig{Relay: url}, nil)
	w.register(already)
	w.settle()
	before := w.look()
	w.register(int(n))
	registered := w.look()
	w.settle()
	s.Wait(twoKeepAlives)
	span, err := stage.Measure(s, env, w.look)
	if err != nil {
		return nil, err
	}
	return figures(before, registered, span)
}

// watch is a relay that is looked at while routers register.
type watch struct {
	stage          *stage.Stage
	env            suite.Env
	relay, routers *proc.Child
}

// register has routers register until there are n.
func (w *watch) register(n int) {
	for there := w.look().held.Routers; there < n && w.stage.Err() == nil; {
		w.stage.Ask(w.routers, part.Register, min(step, n-there), &there)
		w.env.Progress.Say(fmt.Sprintf("idle: %d of %d routers registered", there, n))
	}
}

// settle waits until the relay has collected what the registrations have left.
func (w *watch) settle() {
	enough, late := w.look().held.Collections+settleCycles, time.Now().Add(settleTime)
	for w.look().held.Collections < enough && w.stage.Err() == nil {
		if time.Now().After(late) {
			w.stage.Fail(errRestless)
			return
		}
		w.stage.Wait(settlePoll)
	}
}

// look asks the relay, and the kernel about it.
func (w *watch) look() (v view) {
	w.stage.Ask(w.relay, part.Memory, struct{}{}, &v.held)
	w.stage.Try(func() (err error) {
		v.resident, err = w.relay.Resident()
		return err
	})
	w.stage.Try(func() (err error) {
		v.cpu, err = w.relay.CPU()
		return err
	})
	return v
}
