package verdict

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/lethe-relay/lethe/bench/retention/observe"
)

// latest is how much later than it should a scan may copy memory: then the time
// it stands for is no longer the one that is claimed.
const latest = 2 * time.Second

// Judge sets Verdict, Why and NotChecked from the rest of the report. names are
// the detectors that there have to be.
func (r *Report) Judge(names []string) {
	failures, gaps := r.failures(), r.gaps(names)
	r.NotChecked = append(r.unchecked(), never()...)
	switch {
	case len(failures) > 0:
		r.Verdict, r.Why = Fail, append(failures, gaps...)
	case len(gaps) > 0:
		r.Verdict, r.Why = Invalid, gaps
	default:
		r.Verdict, r.Why = Pass, nil
	}
}

// failures are what was found that should not be there.
func (r *Report) failures() (why []string) {
	for _, s := range r.Scans {
		for _, c := range s.Counts {
			if c.Claimed && c.Found > 0 {
				why = append(why, fmt.Sprintf("memory: %d of %s %s", c.Found, c.Level, s.moment()))
			}
		}
	}
	for _, d := range r.Detectors {
		for _, finding := range d.Findings {
			why = append(why, d.Name+": "+finding)
		}
	}
	return why
}

// moment says when a scan was.
func (s Scan) moment() string {
	switch s.Moment {
	case Live:
		return "in mid-session"
	case Cut:
		return fmt.Sprintf("%.1f s after the ends were gone (%s)", s.After.Seconds(), s.Way)
	}
	return fmt.Sprintf("%.1f s after close (%s)", s.After.Seconds(), s.Way)
}

// gaps are why the audit proves nothing, if nothing was found.
func (r *Report) gaps(names []string) (why []string) {
	gap := func(format string, args ...any) { why = append(why, fmt.Sprintf(format, args...)) }
	for _, err := range r.Errors {
		gap("the audit came to a halt: %s", err)
	}
	if r.Done.Checked < r.Asked.Bytes {
		gap("%.1f GB were relayed and checked, less than %.1f", gigabytes(r.Done.Checked), gigabytes(r.Asked.Bytes))
	}
	for _, name := range names {
		if !slices.ContainsFunc(r.Detectors, func(d Detector) bool { return d.Name == name }) {
			gap("the detector %q has told nothing", name)
		}
	}
	for _, d := range r.Detectors {
		if d.Blind && !(r.Relay.Attached && (d.Name == observe.DetectorCore || d.Name == observe.DetectorOutput)) {
			gap("the detector %q has looked at nothing: %s", d.Name, strings.Join(d.NotChecked, "; "))
		}
	}
	for _, way := range r.Asked.Ways {
		why = append(why, r.gapsOf(way)...)
	}
	return append(why, r.blindness()...)
}

// gapsOf tells what is missing about a way of closing.
func (r *Report) gapsOf(way string) (why []string) {
	i := slices.IndexFunc(r.Groups, func(g Group) bool { return g.Way == way })
	if i < 0 {
		return []string{fmt.Sprintf("no session was closed in the way %q", way)}
	}
	g := r.Groups[i]
	if g.Ended < r.Asked.Sessions || g.Sessions < r.Asked.Sessions {
		why = append(why, fmt.Sprintf("%d sessions were opened and %d ended in the way %q, not %d", g.Sessions, g.Ended, way, r.Asked.Sessions))
	}
	if g.Planted == 0 {
		why = append(why, fmt.Sprintf("nothing was planted in the sessions of the way %q", way))
	}
	for _, after := range r.Asked.After {
		done := func(s Scan) bool {
			return s.Group == g.Number && s.Moment == Closed && s.Asked == after && s.After >= after && s.After <= after+latest && s.Bytes > 0
		}
		if !slices.ContainsFunc(r.Scans, done) {
			why = append(why, fmt.Sprintf("memory was not scanned %v after close in the way %q", after, way))
		}
	}
	return why
}

// blindness tells which levels the scans in mid-session have not seen. A scan
// that does not see what is there proves nothing by seeing nothing later.
func (r *Report) blindness() (why []string) {
	seen, payload, own := make(map[Level]bool), make(map[string]int), 0
	for _, s := range r.Scans {
		if s.Moment != Live {
			continue
		}
		own += s.Own
		payload[s.Way] += s.Count(Payload).Found
		for _, c := range s.Counts {
			seen[c.Level] = seen[c.Level] || c.Found > 0
		}
	}
	if len(payload) == 0 {
		return []string{"memory was not scanned in mid-session"}
	}
	for _, way := range slices.Sorted(maps.Keys(payload)) {
		if payload[way] == 0 {
			why = append(why, fmt.Sprintf("no scan in mid-session of the way %q found any payload, although there was some", way))
		}
	}
	if own == 0 {
		why = append(why, "no scan in mid-session found any payload of the group that it was about, although there was some")
	}
	for _, l := range []Level{Ciphertext, Identifiers} {
		if !seen[l] {
			why = append(why, fmt.Sprintf("no scan in mid-session found any %s, although there was some", l))
		}
	}
	return why
}

// unchecked is what detectors could not look at.
func (r *Report) unchecked() (all []string) {
	for _, d := range r.Detectors {
		for _, why := range d.NotChecked {
			all = append(all, d.Name+": "+why)
		}
	}
	return all
}

// hindered is how many detectors could not look at all that they should.
func (r *Report) hindered() (n int) {
	for _, d := range r.Detectors {
		if len(d.NotChecked) > 0 {
			n++
		}
	}
	return n
}

// never is what no audit of this kind checks.
func never() []string {
	return []string{
		"the kernel's own memory: socket buffers, and pages that processes have given back",
		"what lies outside of this machine's software: hypervisor, firmware, network cards, the networks",
		"what another process keeps that was given something by other ways than those that are watched",
		"memory at one instant: it is copied while the relay runs, so what was moved meanwhile from what is not copied yet to what already is goes unseen",
		"times when no audit runs: a relay that keeps something only then is not caught by an audit",
		"payload that was changed before it was kept, unless it is turned back while the audit runs",
	}
}

func gigabytes(bytes uint64) float64 { return float64(bytes) / 1e9 }
