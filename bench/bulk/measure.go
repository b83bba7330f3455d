package bulk

import (
	"context"
	"crypto/rand"
	"errors"
	"time"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/bench/part"
	"github.com/lethe-relay/lethe/bench/proc"
	"github.com/lethe-relay/lethe/bench/suite"
)

const (
	warmUp   = time.Second // of a flow before it is measured: slow start and path MTU discovery are over
	gigabyte = 1e9         // bytes
)

// measurement is a set of processes that play their parts. Its methods do
// nothing once one of them has failed; sample returns why.
type measurement struct {
	ctx      context.Context
	children []*proc.Child
	roles    []string // of the children, as figures name them
	err      error
}

func newMeasurement(ctx context.Context) *measurement { return &measurement{ctx: ctx} }

// start starts a child. role is what its figures are called.
func (m *measurement) start(role, name string, cpus []int) *proc.Child {
	if m.err != nil {
		return nil
	}
	child, err := proc.Start(m.ctx, name, cpus)
	if err != nil {
		m.err = err
		return nil
	}
	m.children, m.roles = append(m.children, child), append(m.roles, role)
	return child
}

func (m *measurement) startRelay(env suite.Env, cpus []int) (relay *proc.Child, url string) {
	relay = m.start("relay", part.RelayPart, cpus)
	var ready part.RelayReady
	m.ask(relay, part.Open, part.RelayConfig{Dir: env.Scratch}, &ready)
	return relay, ready.URL
}

func (m *measurement) ask(child *proc.Child, do string, args, answer any) {
	if m.err == nil {
		m.err = child.Ask(do, args, answer)
	}
}

// stop ends the children, those that use others first.
func (m *measurement) stop() {
	for i := range m.children {
		m.children[len(m.children)-1-i].Stop()
	}
}

// split gives the relay the last processor and names the others. On a machine
// with one, all share it.
func (m *measurement) split() (relay, others []int) {
	cpus, err := proc.CPUs()
	if err != nil {
		m.err = errors.Join(m.err, err)
		return nil, nil
	}
	last := len(cpus) - 1
	return cpus[last:], cpus[:max(last, 1)]
}

// people are a router and a device that it has granted everything.
type people struct {
	routerPEM, devicePEM []byte
	router               auth.RouterID
	grant                []byte
}

func (m *measurement) people() (p people) {
	if m.err == nil {
		p, m.err = newPeople(time.Now())
	}
	return p
}

func newPeople(now time.Time) (p people, err error) {
	router, err := auth.NewIdentity(rand.Reader)
	if err != nil {
		return p, err
	}
	device, err := auth.NewIdentity(rand.Reader)
	if err != nil {
		return p, err
	}
	if p.routerPEM, err = router.MarshalPEM(); err != nil {
		return p, err
	}
	if p.devicePEM, err = device.MarshalPEM(); err != nil {
		return p, err
	}
	p.router = router.RouterID()
	p.grant, err = auth.Issue(router, auth.Grant{
		Device: device.PublicKey(), Role: auth.RoleOwner, Services: []string{auth.AllServices},
		NotBefore: now, NotAfter: now.Add(time.Hour),
	}, rand.Reader)
	return p, err
}

// reading is where all counters stand at one time.
type reading struct {
	at    time.Time
	cpu   []time.Duration // of the children
	moved part.Moved      // of the receiver
	relay part.Carried
}

func (m *measurement) read(receiver, relay *proc.Child) reading {
	r := reading{at: time.Now()}
	m.ask(receiver, part.Progress, struct{}{}, &r.moved)
	if relay != nil {
		var moved part.Moved
		m.ask(relay, part.Progress, struct{}{}, &moved)
		r.relay = moved.Relay
	}
	for _, child := range m.children {
		if m.err != nil {
			break
		}
		var cpu time.Duration
		cpu, m.err = child.CPU()
		r.cpu = append(r.cpu, cpu)
	}
	return r
}

// sample lets the flow warm up, measures it, and makes figures of it. relay is
// nil where there is none.
func (m *measurement) sample(env suite.Env, receiver, relay *proc.Child) (suite.Sample, error) {
	m.wait(min(warmUp, env.Interval))
	m.profile(env, "profile")
	before := m.read(receiver, relay)
	m.wait(env.Interval)
	after := m.read(receiver, relay)
	m.profile(env, "profile-end")
	if m.err != nil {
		return nil, m.err
	}
	return figures(m.roles, before, after)
}

func (m *measurement) wait(d time.Duration) {
	if m.err != nil {
		return
	}
	select {
	case <-time.After(d):
	case <-m.ctx.Done():
		m.err = context.Cause(m.ctx)
	}
}

// profile begins or ends the CPU profiles, if any are wanted.
func (m *measurement) profile(env suite.Env, do string) {
	if env.Profiles == "" {
		return
	}
	for i, child := range m.children {
		m.ask(child, do, env.Profiles+"-"+m.roles[i]+".pprof", nil)
	}
}
