package drive

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/lethe-relay/lethe/bench/retention/canary"
	"github.com/lethe-relay/lethe/bench/retention/observe"
	"github.com/lethe-relay/lethe/bench/retention/verdict"
)

// denseFor is how long all that arrives is sampled before a scan in mid-session.
const denseFor = 50 * time.Millisecond

// scanner looks through the relay's memory. Copying is what has to be in time;
// copies are looked through one after the other.
type scanner struct {
	a       *audit
	copying sync.Mutex
	looking sync.Mutex

	mu    sync.Mutex
	spare []*observe.Memory // guarded by mu: not in use
	all   []*observe.Memory // guarded by mu
	scans []verdict.Scan    // guarded by mu
}

// liveTries is how often memory is scanned in mid-session until the group's own
// payload shows, and once in an audit a tunnel's ciphertext: the packet buffers hold
// the last tenth of a second, and what is a small part of the load is not in each.
const liveTries = 12

// live scans in mid-session of a group.
func (s *scanner) live(g *group) error {
	for range liveTries {
		own, err := s.liveOnce(g)
		if err != nil || own > 0 && s.seen(verdict.Live, verdict.Ciphertext) {
			return err
		}
	}
	return nil
}

// liveOnce returns how many blocks of the group itself it has found.
func (s *scanner) liveOnce(g *group) (own int, err error) {
	s.a.watch.sampler.Dense(true)
	if err := wait(s.a.ctx, denseFor); err != nil {
		return 0, err
	}
	m, copied, err := s.copy()
	s.a.watch.sampler.Dense(false)
	if err != nil {
		return 0, err
	}
	return s.look(m, copied, verdict.Scan{Moment: verdict.Live, Group: g.group, Way: g.title()}, sought{
		windows: s.a.watch.sampler.Windows(), identifiers: g.sought,
	}), nil
}

// after scans so long after a group's sessions were over, or cut. windows are
// those that were seen before.
func (s *scanner) after(ctx context.Context, g *group, moment verdict.Moment, since time.Time, asked time.Duration, windows []canary.Window) error {
	if err := wait(ctx, time.Until(since.Add(asked))); err != nil {
		return err
	}
	m, copied, err := s.copy()
	if err != nil {
		return err
	}
	scan := verdict.Scan{Moment: moment, Group: g.group, Way: g.title(), Asked: asked, After: copied.At.Sub(since)}
	s.look(m, copied, scan, sought{windows: windows, identifiers: g.sought})
	return nil
}

// copy takes a copy of all memory.
func (s *scanner) copy() (*observe.Memory, observe.Copied, error) {
	m := s.memory()
	s.copying.Lock()
	defer s.copying.Unlock()
	copied, err := m.Snapshot()
	if err != nil {
		s.putBack(m)
	}
	return m, copied, err
}

func (s *scanner) memory() *observe.Memory {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := len(s.spare); n > 0 {
		m := s.spare[n-1]
		s.spare = s.spare[:n-1]
		return m
	}
	m := observe.NewMemory(s.a.watch.group)
	s.all = append(s.all, m)
	return m
}

func (s *scanner) putBack(m *observe.Memory) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.spare = append(s.spare, m)
}

// sought is what one scan looks for, besides canaries.
type sought struct {
	windows     []canary.Window
	identifiers []canary.Identifier
}

// look looks through a copy, keeps what came of it, and returns how many blocks
// of the scan's own group there were.
func (s *scanner) look(m *observe.Memory, copied observe.Copied, scan verdict.Scan, what sought) (own int) {
	s.looking.Lock()
	finder := canary.NewFinder(canary.Sought{Key: s.a.key, Windows: what.windows, Identifiers: what.identifiers})
	found := m.Scan(finder)
	if scan.Moment == verdict.Live {
		s.a.watch.note(observe.PacketMemory(s.a.watch.group, found))
	}
	s.looking.Unlock()
	s.putBack(m)
	scan.At, scan.Took, scan.Bytes = s.a.since(copied.At), copied.Took, copied.Bytes
	blocks, inTunnels := sorted(found)
	scan.Own = blocks[scan.Group]
	payload, planted, written := scan.Own, s.a.planted(scan.Group), s.a.written()
	if scan.Moment == verdict.Live { // of all groups, since all of them carry
		payload, planted = 0, s.a.planted(0)
		for _, n := range blocks {
			payload += n
		}
	}
	over := scan.Moment != verdict.Live
	scan.Counts = []verdict.Count{
		{Level: verdict.Payload, Planted: planted, Found: payload, Claimed: over},
		{Level: verdict.Ciphertext, Planted: uint64(finder.Windows()), Found: found.Windows, Claimed: over},
		{Level: verdict.Plaintext, Planted: written, Found: inTunnels, Claimed: true},
		{Level: verdict.Identifiers, Planted: uint64(len(what.identifiers)), Found: found.Identifiers},
	}
	if inTunnels > 0 || over && payload+found.Windows > 0 {
		scan.Places = places(found)
	}
	s.keep(scan)
	s.others(scan, copied.At, blocks)
	return scan.Own
}

// sorted counts canaries by their groups, and those that were written into tunnels.
func sorted(found canary.Found) (blocks map[int]int, inTunnels int) {
	blocks = make(map[int]int)
	for top, n := range found.ByTop {
		group, inTunnel := groupOf(top)
		if inTunnel {
			inTunnels += n
			continue
		}
		blocks[group] += n
	}
	return blocks, inTunnels
}

// others adds a row for each other group that was over by then and is still
// found: every scan sees them all.
func (s *scanner) others(scan verdict.Scan, at time.Time, blocks map[int]int) {
	for _, g := range s.a.everybody() {
		_, _, closed := g.state()
		if g.group == scan.Group || closed.IsZero() || at.Sub(closed) < time.Second || blocks[g.group] == 0 {
			continue
		}
		scan.Moment, scan.Group, scan.Way, scan.Asked, scan.After = verdict.Closed, g.group, g.title(), 0, at.Sub(closed)
		scan.Own = blocks[g.group]
		scan.Counts = []verdict.Count{{Level: verdict.Payload, Planted: s.a.planted(g.group), Found: blocks[g.group], Claimed: true}}
		s.keep(scan)
	}
}

// places are where something is that may not be there; identifiers may.
func places(found canary.Found) (all []string) {
	for _, p := range found.Places {
		if p.Kind != canary.KindIdentifier {
			all = append(all, p.String())
		}
	}
	return all
}

// seen tells whether a scan of this kind has found any of a level.
func (s *scanner) seen(at verdict.Moment, what verdict.Level) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.ContainsFunc(s.scans, func(scan verdict.Scan) bool {
		return scan.Moment == at && scan.Count(what).Found > 0
	})
}

func (s *scanner) keep(scan verdict.Scan) {
	s.mu.Lock()
	s.scans = append(s.scans, scan)
	s.mu.Unlock()
	s.a.say("%s", scan.String())
}

// results are the scans, and what could not be read.
func (s *scanner) results() ([]verdict.Scan, observe.Result) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all observe.Result
	for _, m := range s.all {
		all.Add(m.Result())
	}
	return s.scans, all
}

// wait waits, unless ctx ends.
func wait(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return context.Cause(ctx)
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
