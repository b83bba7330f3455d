package drive

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/lethe-relay/lethe/bench/retention/canary"
	"github.com/lethe-relay/lethe/bench/retention/observe"
	"github.com/lethe-relay/lethe/bench/retention/verdict"
	"github.com/lethe-relay/lethe/bench/suite"
)

// finish ends the relay, if it was started, and makes the report.
func (a *audit) finish() (*verdict.Report, error) {
	a.say("ending the observers")
	a.rates.stop()
	a.lastTally()
	r := a.describe()
	a.watch.end()
	a.leave()
	if a.opt.Attach == nil {
		a.abort()
		a.watch.published(canary.NewFinder(a.everything()))
	} else {
		a.watch.published(canary.NewFinder(a.everything()))
		a.watch.note(observe.Result{NotChecked: []observe.Gap{{
			Detector: observe.DetectorCore, Blind: true, Why: "a relay that was attached to is left running, so whether it leaves a core dump is not tried",
		}}})
	}
	a.content()
	scans, result := a.scan.results()
	a.watch.note(result)
	r.Scans, r.Throughput, r.Errors = scans, a.rates.points, a.errs
	r.Detectors = verdict.Observed(detectors(), a.watch.results)
	r.Seconds = time.Since(a.start).Seconds()
	r.Judge(detectors())
	return r, nil
}

// lastTally asks the groups that an audit which came to a halt has left. One whose
// ends don't answer tells nothing more.
func (a *audit) lastTally() {
	for _, g := range a.everybody() {
		if g.lastByte().IsZero() {
			g.tally()
		}
	}
}

// abort ends the relay as a crash would, and looks at what that leaves.
func (a *audit) abort() {
	a.say("aborting the relay")
	a.watch.note(observe.CorePattern())
	a.watch.note(observe.Abort(a.ctx, a.watch.group, a.relay.Dir))
	<-a.relay.Ended()
	a.watch.note(observe.Dumped(a.relay.Status()))
	if a.opt.Printed != nil {
		a.watch.output.Stop() // all of it has been read
		a.opt.Printed(a.relay.Printed(""))
	}
	if len(a.relay.Printed("goroutine ")) > 0 {
		a.watch.note(observe.Result{Findings: []observe.Finding{{
			Detector: observe.DetectorCore, What: "when it was aborted it printed the stacks of its goroutines, whose arguments are its memory",
		}}})
	}
}

// everything is all that may be in no log, metric or file.
func (a *audit) everything() canary.Sought {
	s := canary.Sought{Key: a.key, Windows: a.watch.sampler.Windows()}
	for _, g := range a.everybody() {
		s.Identifiers = append(s.Identifiers, g.sought...)
	}
	return s
}

// content makes findings of what did not arrive as it was sent.
func (a *audit) content() {
	for _, g := range a.everybody() {
		_, wrong := g.told()
		for _, w := range wrong {
			a.watch.note(observe.Result{Findings: []observe.Finding{{Detector: observe.DetectorContent, What: w}}})
		}
	}
}

// describe is the part of the report that says who, where and how much.
func (a *audit) describe() *verdict.Report {
	machine := suite.NewReport(a.opt.Flags)
	r := &verdict.Report{
		Nonce: nonce(), Time: a.start.UTC().Truncate(time.Second), Flags: a.opt.Flags,
		Machine: verdict.Machine{Kernel: machine.Kernel, System: machine.System, CPUs: machine.CPUs, CPUModel: machine.CPUModel},
		Asked:   verdict.Asked{Bytes: uint64(a.opt.Gigabytes * 1e9), Sessions: a.opt.Sessions, After: a.opt.After},
		Relay:   a.audited(),
	}
	for _, way := range a.opt.Ways {
		r.Asked.Ways = append(r.Asked.Ways, string(way))
	}
	for _, g := range a.everybody() {
		r.Groups = append(r.Groups, a.reportOf(g))
	}
	c := a.carried()
	r.Done = verdict.Done{Checked: c.Checked, InTunnel: c.InTunnel, Lost: c.Lost, Planted: c.Planted + c.Written}
	if m, err := a.relay.Admin.Metrics(a.ctx); err == nil {
		r.Done.Relayed = m.Bytes() - a.before.Bytes()
	}
	return r
}

func (a *audit) reportOf(g *group) verdict.Group {
	c, _ := g.told()
	begun, stopped, closed := g.state()
	r := verdict.Group{
		Number: g.group, Way: g.title(), About: g.way.About(), Sessions: g.sessions, Ended: g.ended,
		Checked: c.Checked, Planted: c.Planted,
		Begun: a.since(begun), Stopped: a.since(stopped), Closed: a.since(closed),
	}
	if g.load {
		r.About = "the load that all others are under; closed by its devices at the end"
	}
	return r
}

// audited describes the relay's program, and what it says of its own lockdown.
func (a *audit) audited() (r verdict.Relay) {
	r.Attached = a.opt.Attach != nil
	r.Lockdown = "unknown"
	binary := fmt.Sprintf("/proc/%d/exe", a.relay.PID)
	if info, err := buildinfo.ReadFile(binary); err == nil {
		r.Go, r.Build = info.GoVersion, make(map[string]string)
		for _, s := range info.Settings {
			r.Build[s.Key] = s.Value
		}
	}
	r.SHA256 = hashOf(binary)
	ctx, cancel := context.WithTimeout(a.ctx, adminTimeout)
	defer cancel()
	told, err := a.relay.Admin.Retention(ctx)
	if err != nil {
		return r
	}
	r.Lockdown = told.Mode
	for _, c := range told.Controls {
		r.Controls = append(r.Controls, verdict.Control{Name: c.Name, InForce: c.InForce, How: c.How})
	}
	return r
}

func hashOf(file string) string {
	f, err := os.Open(file)
	if err != nil {
		return ""
	}
	defer f.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err != nil {
		return ""
	}
	return hex.EncodeToString(sum.Sum(nil))
}

func nonce() string {
	var b [16]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}
