package drive

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"time"

	"github.com/lethe-relay/lethe/bench/retention/canary"
	"github.com/lethe-relay/lethe/bench/retention/verdict"
)

// The audit, in the order of the functions below:
//
//  1. Audit   starts the relay, or takes a running one, and its observers
//  2. load    opens the full load, which goes on until the end
//  3. way     for each way of closing: opens a group of sessions under that load,
//             scans in mid-session, and ends the group
//  4. over    waits until the relay has ended the group's sessions, and scans
//             1, 5 and 30 s later, while the next group is at work
//  5. rest    ends the full load, and scans the relay that has nothing to do
//  6. finish  ends the relay by force, looks at what it has printed and left, and
//             makes the report

const (
	endTimeout = 100 * time.Second // for the relay to end sessions: the idle time-out, or a device's patience
	lookEvery  = 100 * time.Millisecond
)

// audit is one audit.
type audit struct {
	ctx   context.Context
	opt   Options
	relay *Relay
	watch *watch
	scan  *scanner
	stage
	start time.Time
	rates *rates

	running sync.WaitGroup // scans after the end of groups
	expect  map[string]int // sessions that are to have ended, by reason
	before  Metrics        // at the beginning

	mu     sync.Mutex
	groups []*group // guarded by mu
	errs   []string // guarded by mu
}

// Audit makes an audit. What keeps it from going on is in the report; an error
// says that it could not begin.
func Audit(ctx context.Context, opt Options) (*verdict.Report, error) {
	if opt.Progress == nil {
		opt.Progress = func(string) {}
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	a := &audit{ctx: ctx, opt: opt, relay: opt.Attach, start: time.Now(), expect: make(map[string]int)}
	a.scan = &scanner{a: a}
	if opt.Attach != nil {
		if err := opt.Attach.identify(ctx); err != nil {
			return nil, err
		}
	}
	if a.relay == nil {
		a.say("starting the relay")
		r, err := Start(ctx, opt.Launch)
		if err != nil {
			return nil, err
		}
		defer r.Stop()
		a.relay = r
	}
	a.watch = collect(a.relay, opt.Unit)
	defer a.watch.group.Close()
	if opt.Attach == nil {
		if err := a.relay.Ready(ctx); err != nil {
			return nil, err
		}
	}
	if err := a.begin(); err != nil {
		return nil, err
	}
	defer a.leave()
	a.fail(a.run())
	a.running.Wait()
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	return a.finish()
}

// begin starts the observers.
func (a *audit) begin() (err error) {
	if a.before, err = a.relay.Admin.Metrics(a.ctx); err != nil {
		return fmt.Errorf("ask the relay for its metrics: %w", err)
	}
	a.stage = stage{ctx: a.ctx, url: a.relay.URL, key: canary.NewKey(), cpus: a.opt.CPUs}
	a.watch.begin(a.ctx, a.relay, a.opt.Calls)
	a.rates = measureRates(a.ctx, a.relay.Admin, a.start)
	return nil
}

// run does all that is done with a relay that runs.
func (a *audit) run() error {
	loads, err := a.load()
	if err != nil {
		return err
	}
	for _, way := range a.opt.Ways {
		if err := a.way(way); err != nil {
			return fmt.Errorf("%s: %w", way, err)
		}
	}
	a.running.Wait()
	if err := a.amount(loads); err != nil {
		return err
	}
	return a.rest(loads)
}

// load opens the full load.
func (a *audit) load() (loads []*group, err error) {
	a.say("opening the full load: %d sessions without tunnels, %d tunnels", a.opt.FullLoad, a.opt.Tunnels)
	full, err := a.openFull(a.opt.FullLoad)
	a.add(full)
	if err != nil || a.opt.Tunnels == 0 {
		return []*group{full}, err
	}
	tunnels, err := a.open(Closed, a.opt.Tunnels, true)
	a.add(tunnels)
	return []*group{full, tunnels}, err
}

// way opens a group, lets it carry, scans, and makes it end in its way.
func (a *audit) way(way Way) error {
	a.say("%s: opening %d sessions", way, a.opt.Sessions)
	g, err := a.open(way, a.opt.Sessions, false)
	a.add(g)
	if err != nil {
		return err
	}
	if err := a.carry(); err != nil {
		return err
	}
	if err := a.tally(); err != nil {
		return err
	}
	if err := a.scan.live(g); err != nil {
		return err
	}
	a.say("%s: %s", way, way.About())
	if err := a.end(g); err != nil {
		return err
	}
	if way.reason() != endIdle {
		return a.over(g)
	}
	a.running.Go(func() { a.fail(a.over(g)) }) // the idle time-out is longer than the other ways take
	a.running.Go(func() {
		a.fail(a.scan.after(a.ctx, g, verdict.Cut, g.lastByte(), time.Second, a.watch.sampler.Windows()))
	})
	return nil
}

// carry lets the group carry for a while, and until the relay has printed what is waited
// for. If it never does, whoever reads what it has printed sees that.
func (a *audit) carry() error {
	if a.opt.Await != "" {
		ctx, cancel := context.WithTimeout(a.ctx, endTimeout)
		defer cancel()
		if _, err := a.relay.await(ctx, a.opt.Await); err != nil {
			a.say("no line %q: %v", a.opt.Await, err)
		}
	}
	return wait(a.ctx, a.opt.Carry)
}

// tally asks all groups that still have ends what they have carried.
func (a *audit) tally() error {
	var errs []error
	for _, g := range a.everybody() {
		if _, stopped, _ := g.state(); stopped.IsZero() {
			errs = append(errs, g.tally())
		}
	}
	return errors.Join(errs...)
}

func (a *audit) end(g *group) error {
	a.watch.sampler.Without(g.named.Tunnels...)
	a.expect[g.way.reason()] += g.sessions
	g.due = a.expect[g.way.reason()]
	return g.end()
}

// over waits until the relay has ended the group's sessions, and starts the
// scans that follow.
func (a *audit) over(g *group) error {
	if err := a.awaitEnd(g); err != nil {
		return err
	}
	g.mark(&g.closed)
	a.say("%s: the relay has ended the sessions", g.way)
	_, _, closed := g.state()
	windows := a.watch.sampler.Windows()
	for _, after := range a.opt.After {
		a.running.Go(func() { a.fail(a.scan.after(a.ctx, g, verdict.Closed, closed, after, windows)) })
	}
	return nil
}

// awaitEnd waits until the relay's counter has come to what it has to.
func (a *audit) awaitEnd(g *group) error {
	ctx, cancel := context.WithTimeout(a.ctx, endTimeout)
	defer cancel()
	reason := g.way.reason()
	for {
		m, err := a.relay.Admin.Metrics(ctx)
		if err != nil {
			return err
		}
		missing := g.due - a.ended(m, reason)
		if reason == endUnbound { // one whose UNBIND was lost ends as an idle one
			missing -= max(0, a.ended(m, endIdle)-a.expect[endIdle])
		}
		if g.ended = g.sessions - max(missing, 0); missing <= 0 {
			return nil
		}
		if wait(ctx, lookEvery) != nil {
			return fmt.Errorf("the relay has not ended %d of the sessions in %v", missing, endTimeout)
		}
	}
}

// ended is how many sessions have ended for a reason since the audit began.
func (a *audit) ended(now Metrics, reason string) int {
	return now.ended(reason) - a.before.ended(reason)
}

// amount lets the full load go on until enough was relayed.
func (a *audit) amount(loads []*group) error {
	for {
		if err := a.tally(); err != nil {
			return err
		}
		checked := a.carried().Checked
		a.say("%.1f GB relayed and checked", float64(checked)/1e9)
		if float64(checked) >= a.opt.Gigabytes*1e9 {
			return nil
		}
		before := checked
		if err := wait(a.ctx, time.Second); err != nil {
			return err
		}
		if err := a.tally(); err != nil {
			return err
		}
		if a.carried().Checked == before {
			return errors.New("the relay carries nothing any more")
		}
	}
}

// rest ends the full load, and scans the relay that has nothing to do.
func (a *audit) rest(loads []*group) error {
	for _, g := range loads {
		if err := a.end(g); err != nil {
			return err
		}
		if err := a.over(g); err != nil {
			return err
		}
	}
	a.running.Wait()
	return nil
}

// leave ends all processes of the groups.
func (a *audit) leave() {
	for _, g := range a.everybody() {
		g.leave()
	}
}

// add makes a group known; it may be one that could not be opened as a whole.
func (a *audit) add(g *group) {
	a.mu.Lock()
	a.groups = append(a.groups, g)
	a.mu.Unlock()
	for _, addr := range g.addrs {
		a.watch.egress.Announce(netip.AddrPortFrom(addr, 0))
	}
	a.watch.sampler.Only(g.named.Tunnels...)
}

func (a *audit) everybody() []*group {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.groups[:len(a.groups):len(a.groups)]
}

// carried is what all groups have carried by their last tallies.
func (a *audit) carried() (all Carried) {
	for _, g := range a.everybody() {
		c, _ := g.told()
		all.Add(c)
	}
	return all
}

// planted is how many blocks were sent by a group without tunnels; 0 stands for all groups.
func (a *audit) planted(group int) (n uint64) {
	for _, g := range a.everybody() {
		if group == 0 || g.group == group {
			c, _ := g.told()
			n += c.Planted
		}
	}
	return n
}

// written is how many were written into tunnels.
func (a *audit) written() uint64 { return a.carried().Written }

func (a *audit) since(t time.Time) float64 { return t.Sub(a.start).Seconds() }

func (a *audit) say(format string, args ...any) {
	a.opt.Progress(fmt.Sprintf("%6.1f s  ", time.Since(a.start).Seconds()) + fmt.Sprintf(format, args...))
}

// fail notes what keeps the audit from going on.
func (a *audit) fail(err error) {
	if err == nil || a.ctx.Err() != nil {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.errs = append(a.errs, err.Error())
	a.say("%v", err)
}
