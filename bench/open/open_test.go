package open

import (
	"crypto/ed25519"
	"errors"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/auth/ecv"
	"github.com/lethe-relay/lethe/bench/part"
	"github.com/lethe-relay/lethe/bench/stage"
	"github.com/lethe-relay/lethe/bench/suite"
)

func TestFigures(t *testing.T) {
	span := stage.Span[part.Opened]{Elapsed: 2 * time.Second, CPU: map[string]time.Duration{"relay": time.Second}}
	span.Before.Took = []time.Duration{time.Hour} // while it warmed up
	for ms := range 200 {
		span.After.Took = append(span.After.Took, time.Duration(200-ms)*time.Millisecond)
	}
	got, err := figures(span)
	if err != nil {
		t.Fatal(err)
	}
	for figure, want := range map[string]float64{perS: 100, perCore: 200, "relay_cpu_ms_per_open": 5, busy: 0.5, median: 100, slow: 198} {
		if math.Abs(got[figure]-want) > 1e-9 {
			t.Errorf("%s is %v, want %v", figure, got[figure], want)
		}
	}
	span.After.Took = nil
	if _, err := figures(span); !errors.Is(err, errNothing) {
		t.Errorf("nothing opened: %v", err)
	}
}

func TestPercentile(t *testing.T) {
	ms := func(n ...int) (times []time.Duration) {
		for _, n := range n {
			times = append(times, time.Duration(n)*time.Millisecond)
		}
		return times
	}
	for _, c := range []struct {
		sorted []time.Duration
		p      int
		want   float64
	}{
		{ms(7), 50, 7}, {ms(7), 99, 7}, {ms(1, 2), 50, 1}, {ms(1, 2), 99, 2}, {ms(1, 2, 3), 50, 2}, {ms(1, 2, 3), 0, 1}, {ms(1, 2, 3), 100, 3},
	} {
		if got := percentile(c.sorted, c.p); got != c.want {
			t.Errorf("%d %% of %v: %v, want %v", c.p, c.sorted, got, c.want)
		}
	}
}

// TestDerive: ratios are to grant only of the same kind; one by one has none.
func TestDerive(t *testing.T) {
	round := map[string]suite.Sample{
		dialGrantOnly: {perCore: 800}, dialAllEvidence: {perCore: 600}, dialRefused: {perCore: 1600},
		openGrantOnly: {perCore: 3000}, openAllEvidence: {perCore: 2400}, openRefused: {perCore: 6000}, openOneByOne: {perCore: 900},
	}
	derive(round)
	for line, want := range map[string]float64{
		dialGrantOnly: 1, dialAllEvidence: 0.75, dialRefused: 2, openGrantOnly: 1, openAllEvidence: 0.8, openRefused: 2,
	} {
		if round[line][vsGrantOnly] != want {
			t.Errorf("%s: %v, want %v", line, round[line], want)
		}
	}
	if _, has := round[openOneByOne][vsGrantOnly]; has {
		t.Errorf("one device is compared with eight: %v", round[openOneByOne])
	}
}

// TestBars: what is promised is looked at where it was promised.
func TestBars(t *testing.T) {
	bars := Scenario().Bars
	if len(bars) != 2 || bars[0].Figure != perCore || bars[0].AtLeast != 1500 || !slices.Equal(bars[0].Lines, []string{openAllEvidence}) {
		t.Errorf("%+v", bars)
	}
}

// TestDemand: the policy can be put into a grant, and nobody gets in who lacks one
// of the features that it weighs.
func TestDemand(t *testing.T) {
	here, err := part.Here(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	g := auth.Grant{Device: make(ed25519.PublicKey, ed25519.PublicKeySize)}
	setting{paired: secret(1)}.demand(here)(&g)
	if err := g.Policy.Validate(); err != nil {
		t.Fatal(err)
	}
	var found ecv.Findings
	features := []ecv.Feature{ecv.Account, ecv.WiFi, ecv.Geo, ecv.Net}
	for _, f := range features {
		if found[f] = ecv.Matched; !g.Accepted.Any(f) {
			t.Errorf("no %s is accepted", f)
		}
	}
	if v := g.Policy.Judge(found).Verdict; v != ecv.Allow {
		t.Errorf("all evidence: %s", v)
	}
	for _, f := range features {
		less := found
		less[f] = ecv.Missing
		if v := g.Policy.Judge(less).Verdict; v != ecv.Deny {
			t.Errorf("without %s: %s", f, v)
		}
	}
	if (setting{}).demand(here) != nil {
		t.Error("grant only demands something")
	}
}
