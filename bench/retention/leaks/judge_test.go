package leaks

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/lethe-relay/lethe/bench/retention/observe"
	"github.com/lethe-relay/lethe/bench/retention/verdict"
)

// TestJudge: a leak counts as caught by a detector of its own only, and not by one that
// the build without a leak sets off, too; refused alone is not enough where the kernel is not asked.
func TestJudge(t *testing.T) {
	v := Variant{Name: "file", Caught: []string{observe.DetectorFileEvents, observe.DetectorWriteBytes}}
	for name, c := range map[string]struct {
		mode         string
		printed      []string
		found, clean []string
		ok           bool
	}{
		"caught":                 {"off", []string{"leak file: done"}, []string{observe.DetectorFileEvents}, nil, true},
		"refused":                {"require", []string{"leak file: refused: permission denied"}, nil, nil, true},
		"refused once, and done": {"require", []string{"leak file: refused: x", "leak file: done"}, nil, nil, false},
		"seen by another":        {"off", []string{"leak file: done"}, []string{observe.DetectorOutput}, nil, false},
		"seen without a leak":    {"off", []string{"leak file: done"}, []string{observe.DetectorFileEvents}, []string{observe.DetectorFileEvents}, false},
		"missed":                 {"off", []string{"leak file: done"}, nil, nil, false},
		"never tried":            {"require", nil, nil, nil, false},
		"another leak":           {"require", []string{"leak child: refused: x"}, nil, nil, false},
		"refused without need":   {"off", []string{"leak file: refused: x"}, nil, nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			o := Outcome{Variant: v.Name, Mode: c.mode, detectors: c.found}
			o.read(v.Name, c.printed)
			o.judge(job{v, c.mode, Outcome{detectors: c.clean}})
			if o.OK != c.ok || o.OK != (o.Why == "") {
				t.Errorf("%+v", o)
			}
		})
	}
}

// TestFound: memory counts as a detector when a scan found what is claimed not to be there.
func TestFound(t *testing.T) {
	r := &verdict.Report{
		Detectors: []verdict.Detector{{Name: "a"}, {Name: "b", Findings: []string{"x"}}},
		Scans: []verdict.Scan{{Counts: []verdict.Count{
			{Level: verdict.Identifiers, Found: 5}, {Level: verdict.Payload, Claimed: true},
		}}},
	}
	if got := found(r); !slices.Equal(got, []string{"b"}) {
		t.Errorf("%q", got)
	}
	r.Scans[0].Counts[1].Found = 1
	if got := found(r); !slices.Equal(got, []string{"b", observe.DetectorMemory}) {
		t.Errorf("%q", got)
	}
}

// TestTable: one leak that was missed, or not tried, fails the whole; and shows.
func TestTable(t *testing.T) {
	whole := func() *Table {
		t := &Table{Clean: []Outcome{{Mode: "require", Verdict: verdict.Pass}, {Mode: "off", Verdict: verdict.Fail}}}
		for _, v := range Variants() {
			for _, mode := range Modes() {
				t.Outcomes = append(t.Outcomes, Outcome{Variant: v.Name, Mode: mode, Caught: v.Caught[:1], OK: true})
			}
		}
		return t
	}
	for name, c := range map[string]struct {
		change func(*Table)
		ok     bool
		shows  string
	}{
		"whole":      {func(*Table) {}, true, "PASS"},
		"missed":     {func(t *Table) { t.Outcomes[3].OK, t.Outcomes[3].Why = false, "unseen" }, false, "MISSED: unseen"},
		"left out":   {func(t *Table) { t.Outcomes = t.Outcomes[1:] }, false, "not tried"},
		"not clean":  {func(t *Table) { t.Clean[0].Verdict = verdict.Invalid }, false, "is not PASS"},
		"none tried": {func(t *Table) { *t = Table{} }, false, "is not PASS"},
	} {
		t.Run(name, func(t *testing.T) {
			table := whole()
			c.change(table)
			var out bytes.Buffer
			if err := table.WriteText(&out); err != nil {
				t.Fatal(err)
			}
			if table.OK() != c.ok || !strings.Contains(out.String(), c.shows) {
				t.Errorf("ok: %v\n%s", table.OK(), out.String())
			}
		})
	}
}

// TestVariants: no detector is named that there is not, and no leak is without one.
func TestVariants(t *testing.T) {
	for _, v := range Variants() {
		if len(v.Caught) == 0 || v.About == "" {
			t.Errorf("%q: no detector, or nothing said", v.Name)
		}
	}
	if len(Variants()) != 15 {
		t.Errorf("%d variants", len(Variants()))
	}
}
