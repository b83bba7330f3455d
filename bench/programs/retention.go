package programs

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"time"

	"github.com/lethe-relay/lethe/bench/suite"
)

// How long an audit takes, with the building of the relay.
const (
	quickAudit = 20 * time.Second
	fullAudit  = 150 * time.Second
)

// The lines, and the figures.
const (
	whileCarrying = "while sessions carry"
	afterClose    = "%.0f s after close"
	afterCut      = "%.0f s after the last byte"
	wholeAudit    = "whole audit"

	gbitPerS = "gbit_per_s"
	looks    = "looks"
	kept     = "kept"
	findings = "findings"
	passed   = "passed"
)

// Retention returns the scenario of what the relay keeps: the audit, so that
// throughput and zero retention stand in one report.
func Retention() suite.Scenario {
	lines := []string{wholeAudit}
	return suite.Scenario{
		Name:  "retention",
		About: "what is found in the relay of what it carries, in the worst of several looks",
		Elsewhere: &suite.Elsewhere{
			Takes: func(o suite.Options) time.Duration {
				if o.Full {
					return fullAudit
				}
				return quickAudit
			},
			Measure: auditRetention,
		},
		Columns: []suite.Column{
			{Figure: gbitPerS, Head: "Gbit/s", Decimals: 1},
			{Figure: looks, Head: "looks"},
			{Figure: "payload", Head: "payload"},
			{Figure: "ciphertext", Head: "ciphertext"},
			{Figure: "plaintext", Head: "plaintext"},
			{Figure: kept, Head: "kept"},
			{Figure: findings, Head: "findings"},
		},
		Bars: []suite.Bar{
			{What: "found of sessions that were over", Figure: kept, Lines: lines, Zero: true},
			{What: "found by any other detector", Figure: findings, Lines: lines, Zero: true},
			{What: "the audit's own verdict, 1 being PASS", Figure: passed, Lines: lines, AtLeast: 1},
		},
		Charts: []suite.Chart{
			{Title: "payload in the relay's memory, blocks of 16 bytes", Series: []suite.Series{{Figure: "payload"}}},
			{Title: "ciphertext in it, windows of 16 bytes", Series: []suite.Series{{Figure: "ciphertext"}}},
		},
	}
}

// auditRetention runs the audit.
func auditRetention(ctx context.Context, o suite.Options) (*suite.Result, error) {
	if runtime.GOOS != "linux" {
		return nil, suite.Skip("the audit needs Linux")
	}
	if os.Geteuid() != 0 {
		return nil, suite.Skip("the audit needs root: it reads another process's memory, and watches file systems and networks")
	}
	root, err := Root(ctx)
	if err != nil {
		return nil, err
	}
	args := []string{"audit"}
	if !o.Full {
		args = append(args, "--quick")
	}
	var a audit
	err = program{dir: root, pkg: "./bench/retention"}.run(ctx, o, &a, args...)
	if err != nil {
		return nil, err
	}
	return a.result(), nil
}

// audit is what bench/retention writes, as far as it matters here.
type audit struct {
	Verdict string   `json:"verdict"`
	Why     []string `json:"why"`
	Relay   struct {
		Lockdown string `json:"lockdown"`
	} `json:"relay"`
	Done struct {
		Relayed float64 `json:"relayed_bytes"`
		Checked float64 `json:"checked_bytes"`
	} `json:"done"`
	Groups []struct {
		Ended int `json:"ended"`
	} `json:"groups"`
	Scans     []scan `json:"scans"`
	Detectors []struct {
		Findings []string `json:"findings"`
	} `json:"detectors"`
	Throughput []struct {
		At       float64 `json:"at"`
		GbitPerS float64 `json:"gbit_per_s"`
	} `json:"throughput"`
	NotChecked []string `json:"not_checked"`
}

type scan struct {
	Moment string        `json:"moment"`
	Asked  time.Duration `json:"asked_ns"`
	Counts []struct {
		Level   string  `json:"level"`
		Found   float64 `json:"found"`
		Claimed bool    `json:"claimed"`
	} `json:"counts"`
}

// line is the one that a scan belongs to.
func (s scan) line() string {
	switch s.Moment {
	case "closed":
		return fmt.Sprintf(afterClose, s.Asked.Seconds())
	case "cut":
		return fmt.Sprintf(afterCut, s.Asked.Seconds())
	}
	return whileCarrying
}

func (a *audit) result() *suite.Result {
	r := new(suite.Result)
	order, lines := a.looks()
	whole := suite.Sample{gbitPerS: a.gbitPerS(), looks: float64(len(a.Scans)), kept: 0, findings: 0, passed: 0}
	for _, name := range order {
		whole[kept] += lines[name][kept]
		r.AddLine(name, []suite.Sample{lines[name]})
	}
	for _, d := range a.Detectors {
		whole[findings] += float64(len(d.Findings))
	}
	if a.Verdict == "PASS" {
		whole[passed] = 1
	}
	r.AddLine(wholeAudit, []suite.Sample{whole})
	r.Notes = a.notes()
	return r
}

// looks are the lines of what was found in memory: of each level the most that
// a look has found, and of what may not be there the sum of all.
func (a *audit) looks() (order []string, lines map[string]suite.Sample) {
	lines = make(map[string]suite.Sample)
	for _, s := range a.Scans {
		name := s.line()
		if lines[name] == nil {
			order, lines[name] = append(order, name), suite.Sample{kept: 0}
		}
		line := lines[name]
		line[looks]++
		for _, c := range s.Counts {
			line[c.Level] = max(line[c.Level], c.Found)
			if c.Claimed {
				line[kept] += c.Found
			}
		}
	}
	return order, lines
}

// gbitPerS is what was relayed, by the time in which anything was.
func (a *audit) gbitPerS() float64 {
	var seconds float64
	for _, t := range a.Throughput {
		if t.GbitPerS > 0 {
			seconds = t.At
		}
	}
	if seconds == 0 {
		return 0
	}
	return a.Done.Relayed * 8 / 1e9 / seconds
}

func (a *audit) notes() []string {
	sessions := 0
	for _, g := range a.Groups {
		sessions += g.Ended
	}
	notes := []string{fmt.Sprintf("%s: %.1f GB relayed, %.1f GB of it compared byte by byte; %d sessions closed; lockdown: %s",
		a.Verdict, a.Done.Relayed/1e9, a.Done.Checked/1e9, sessions, a.Relay.Lockdown)}
	for _, why := range a.Why {
		notes = append(notes, a.Verdict+": "+why)
	}
	for _, what := range a.NotChecked {
		notes = append(notes, "not looked at: "+what)
	}
	return notes
}
