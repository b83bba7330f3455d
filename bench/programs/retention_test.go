package programs

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lethe-relay/lethe/bench/suite"
)

func readAudit(t *testing.T) *audit {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", "audit.json"))
	if err != nil {
		t.Fatal(err)
	}
	a := new(audit)
	if err := json.Unmarshal(data, a); err != nil {
		t.Fatal(err)
	}
	return a
}

// run is the scenario with an audit that has been made.
func run(t *testing.T, a *audit) *suite.Result {
	t.Helper()
	s := Retention()
	s.Elsewhere = &suite.Elsewhere{Measure: made(a)}
	r, err := suite.Run(t.Context(), s, suite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestAudit: a report of the auditor as it writes them, cut to four looks.
func TestAudit(t *testing.T) {
	r := run(t, readAudit(t))
	if !r.Pass() {
		t.Errorf("%+v", r.Bars)
	}
	for i, want := range []struct {
		name   string
		sample suite.Sample
	}{
		{"while sessions carry", suite.Sample{"looks": 2, "payload": 56119, "ciphertext": 322, "plaintext": 0, "kept": 0}},
		{"1 s after close", suite.Sample{"looks": 2, "payload": 0, "ciphertext": 0, "plaintext": 0, "kept": 0}},
		{"whole audit", suite.Sample{"looks": 4, "gbit_per_s": 3.941325495, "kept": 0, "findings": 0, "passed": 1}},
	} {
		got := r.Lines[i]
		if got.Name != want.name {
			t.Errorf("line %d is %s, want %s", i, got.Name, want.name)
		}
		for figure, value := range want.sample {
			if got.Median[figure] != value {
				t.Errorf("%s: %s is %v, want %v", got.Name, figure, got.Median[figure], value)
			}
		}
	}
	notes := strings.Join(r.Notes, "\n")
	if !strings.Contains(notes, "PASS: 3.9 GB relayed") || !strings.Contains(notes, "not looked at: the kernel's own memory") {
		t.Errorf("notes: %s", notes)
	}
}

// TestBadAudits: what an audit has against the relay, or against itself, reaches no bar.
func TestBadAudits(t *testing.T) {
	for name, spoil := range map[string]func(*audit){
		"found of the sessions":  func(a *audit) { a.Scans[3].Counts[0].Found = 1 },
		"plaintext, at any time": func(a *audit) { a.Scans[0].Counts[2].Found = 1 },
		"another detector":       func(a *audit) { a.Detectors[1].Findings = []string{"a file"} },
		"invalid":                func(a *audit) { a.Verdict, a.Why = "INVALID", []string{"blind"} },
		"nothing at all":         func(a *audit) { *a = audit{} },
	} {
		a := readAudit(t)
		spoil(a)
		r := run(t, a)
		if r.Pass() {
			t.Errorf("%s: passes", name)
		}
		if len(a.Why) > 0 && !strings.Contains(strings.Join(r.Notes, "\n"), "INVALID: blind") {
			t.Errorf("%s: notes %v", name, r.Notes)
		}
	}
}
