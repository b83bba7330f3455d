package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/lethe-relay/lethe/internal/lockdown"
	"github.com/lethe-relay/lethe/relay"
	"github.com/lethe-relay/lethe/relay/control"
)

// TestStatusHeadline: what may be missing is named where the operator looks first, and
// is no error; what must not be is one.
func TestStatusHeadline(t *testing.T) {
	for _, tt := range []struct {
		missing string
		inForce bool
		want    string
	}{
		{"", true, "zero retention enforced (lockdown: require)"},
		{lockdown.MemoryLocked, true, "zero retention enforced, but for memory_locked (lockdown: require)"},
		{lockdown.Seccomp, false, "zero retention NOT ENFORCED (lockdown: require)"},
	} {
		r := &relay.Retention{Mode: lockdown.Require, InForce: tt.inForce}
		for _, name := range lockdown.Names() {
			r.Controls = append(r.Controls, lockdown.Control{Name: name, InForce: name != tt.missing})
		}
		var out bytes.Buffer
		if err := printStatusText(&out, &relay.Status{}, r); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(out.String(), tt.want) {
			t.Errorf("without %q: %s", tt.missing, &out)
		}
		if err := retentionError(r); (err == nil) != tt.inForce {
			t.Errorf("without %q: %v", tt.missing, err)
		}
	}
}

// TestCountsAreWhole: half a request is none that may be made.
func TestCountsAreWhole(t *testing.T) {
	var out bytes.Buffer
	printExplanation(&out, &control.Explanation{Counts: []control.Counted{{What: "requests", Now: 498.64952335}}})
	if !strings.Contains(out.String(), "count: requests: 498\n") {
		t.Error(out.String())
	}
}
