package tunnel

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/lethe-relay/lethe/auth/ecv"
	"github.com/lethe-relay/lethe/internal/wire"
)

// TestPace: so many times in a row, then one now and then, and in a row again after a rest.
func TestPace(t *testing.T) {
	var p pace
	now := time.Unix(1000, 0)
	for i := range judgeBurst + 1 {
		if wait := p.next(now); wait != 0 {
			t.Errorf("time %d in a row waits %v", i, wait)
		}
	}
	for i := range 3 {
		if wait := p.next(now); wait != judgeEvery {
			t.Errorf("time %d after these waits %v, want %v", i, wait, judgeEvery)
		}
		now = now.Add(judgeEvery)
	}
	now = now.Add(2 * judgeBurst * judgeEvery)
	for i := range judgeBurst + 1 {
		if wait := p.next(now); wait != 0 {
			t.Errorf("time %d after a rest waits %v", i, wait)
		}
	}
}

// TestMailbox: it holds the newest, and never makes anybody wait.
func TestMailbox(t *testing.T) {
	m := newMailbox[int]()
	for n := range 100 {
		m.put(n)
	}
	if got := <-m; got != 99 || len(m) != 0 {
		t.Errorf("got %d, and %d are left", got, len(m))
	}
}

// TestLimit: a tunnel that is not allowed has its time from its start, however often it is judged.
func TestLimit(t *testing.T) {
	for verdict, want := range map[ecv.Verdict]bool{ecv.Allow: false, ecv.StepUp: true, ecv.Deny: true} {
		h := &hearing{began: time.Now().Add(-time.Hour), waits: waits{stepUp: time.Minute}, over: make(chan time.Time)}
		h.ruling.Verdict = verdict
		h.limit()
		if (h.over != nil) != want {
			t.Errorf("%v: limited is %t", verdict, h.over != nil)
		}
		if h.over == nil {
			continue
		}
		select {
		case <-h.over:
		case <-time.After(10 * time.Second):
			t.Errorf("%v: it has more than its time", verdict)
		}
	}
}

// TestWorse: what was allowed before, service by service, is worse when it is not any more.
func TestWorse(t *testing.T) {
	all := func(v ecv.Verdict) Ruling { return Ruling{Judgement: ecv.Judgement{Verdict: v}} }
	and := func(v, ssh ecv.Verdict) Ruling {
		r := all(v)
		r.Services = map[string]ecv.Verdict{"ssh": ssh}
		return r
	}
	for name, test := range map[string]struct {
		before, after Ruling
		want          bool
	}{
		"denied":                      {all(ecv.Allow), all(ecv.Deny), true},
		"denied, was to be confirmed": {all(ecv.StepUp), all(ecv.Deny), true},
		"one service":                 {and(ecv.Allow, ecv.Allow), and(ecv.Allow, ecv.StepUp), true},
		"one that was not named":      {all(ecv.Allow), and(ecv.Allow, ecv.Deny), true},
		"one that is not named":       {and(ecv.StepUp, ecv.Allow), all(ecv.StepUp), true},
		"all but one":                 {and(ecv.Allow, ecv.Allow), and(ecv.StepUp, ecv.Allow), true},
		"one that was refused anyway": {and(ecv.Allow, ecv.StepUp), and(ecv.Allow, ecv.Deny), false},
		"the same":                    {and(ecv.Allow, ecv.StepUp), and(ecv.Allow, ecv.StepUp), false},
		"better":                      {all(ecv.StepUp), and(ecv.Allow, ecv.StepUp), false},
	} {
		if got := test.after.worseThan(test.before); got != test.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}

// TestWithheldFits: however many services a router has, its verdict can be told.
func TestWithheldFits(t *testing.T) {
	r := Ruling{Judgement: ecv.Judgement{Verdict: ecv.Allow}, Services: map[string]ecv.Verdict{"status": ecv.Allow}}
	for n := range 300 {
		r.Services[fmt.Sprintf("a-service-with-a-long-name-%05d", n)] = ecv.StepUp
	}
	var out bytes.Buffer
	if err := wire.WriteMessage(&out, r.message()); err != nil {
		t.Fatal(err)
	}
	m, err := wire.Expect[*wire.Verdict](&out)
	if err != nil || !strings.HasPrefix(m.Withheld, "a-service-with-a-long-name-00000,") || strings.Contains(m.Withheld, "status") {
		t.Errorf("%v: %.80s", err, m.Withheld)
	}
}
