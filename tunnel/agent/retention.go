package agent

import (
	"context"
	"time"

	"github.com/lethe-relay/lethe/auth"
)

const (
	pruneEvery = time.Hour // how exactly retention times are kept

	// steadyTime is how long the clock must have run without a jump before
	// anything is forgotten by it. A router that wakes up in a wrong year, and is
	// put right by NTP, must not have lost its devices meanwhile.
	steadyTime = 3 * time.Hour
	clockJump  = 10 * time.Minute // of the wall clock against the monotonic one
)

// retain saves from time to time, and forgets what has been kept for long
// enough, until ctx ends.
func (a *Agent) retain(ctx context.Context) {
	tick := time.NewTicker(pruneEvery)
	defer tick.Stop()
	last := time.Now()
	steady := last
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		a.flush()
		now := time.Now()
		if jumped(last, now) {
			steady = now
		}
		if last = now; now.Sub(steady) >= steadyTime {
			a.prune(now)
		}
	}
}

// jumped tells whether the wall clock has been set between the two.
func jumped(before, now time.Time) bool {
	return wasSet(now.Round(0).Sub(before.Round(0)), now.Sub(before)) // Round strips the monotonic readings
}

func wasSet(wall, monotonic time.Duration) bool { return (wall - monotonic).Abs() > clockJump }

// prune forgets what its retention time is over for, and devices whose grants
// have expired.
func (a *Agent) prune(now time.Time) {
	warn := func(err error) {
		if err != nil {
			a.log.Warn("not forgotten in time", "error", err)
		}
	}
	since := now.Add(-time.Duration(a.cfg.Retention.Environments))
	for _, d := range a.devices.list() {
		if now.Before(d.Expires) {
			warn(a.devices.edit(d.ID, func(one *PairedDevice) (bool, error) { return one.forgetBefore(since), nil }))
			continue
		}
		if _, err := a.devices.remove(d.ID); err != nil {
			warn(err)
			continue
		}
		a.clean(d.ID)
	}
	warn(a.devices.forgetVoid(now))
	warn(a.invitations.prune(now, a.isOrphan))
	warn(a.journal.Prune(now.Add(-time.Duration(a.cfg.Retention.Log))))
}

// isOrphan tells whether who has sent an invitation is not on the list any more.
func (a *Agent) isOrphan(one *invitation) bool {
	_, known := a.devices.get(one.By)
	return one.By != auth.DeviceID{} && !known
}

// forgetBefore drops surroundings and a place that were not seen since, and
// tells whether there were any.
func (d *PairedDevice) forgetBefore(since time.Time) bool {
	left, changed := kept(d.Learned, since)
	d.Learned = left
	if d.Place != nil && d.Place.Seen.Before(since) {
		d.Place, changed = nil, true
	}
	return changed
}
