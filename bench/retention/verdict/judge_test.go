package verdict

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lethe-relay/lethe/bench/retention/observe"
)

func names() []string { return []string{observe.DetectorOutput, observe.DetectorContent} }

// sound is a report of an audit that has found nothing and done all it was asked to.
func sound() *Report {
	counts := func(payload, ciphertext, identifiers int, over bool) []Count {
		return []Count{
			{Payload, 1000, payload, over}, {Ciphertext, 100, ciphertext, over},
			{Plaintext, 1000, 0, true}, {Identifiers, 10, identifiers, false},
		}
	}
	after := func(d time.Duration) Scan {
		return Scan{
			At: 3 + d.Seconds(), Moment: Closed, Group: 3, Way: "closed", Asked: d, After: d + 20*time.Millisecond,
			Took: 12 * time.Millisecond, Bytes: 20 << 20, Counts: counts(0, 0, 2, true),
		}
	}
	return &Report{
		Nonce: "00112233", Time: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Flags: []string{"--quick"},
		Machine: Machine{Kernel: "6.18.0", System: "linux/amd64", CPUs: 2, CPUModel: "a processor"},
		Relay: Relay{SHA256: "0123456789abcdef", Go: "go1.26", Lockdown: "require", Controls: []Control{
			{Name: "landlock", InForce: true}, {Name: "memory_locked", How: "not tried"},
		}},
		Asked: Asked{Bytes: 2e9, Sessions: 4, Ways: []string{"closed"}, After: []time.Duration{time.Second, 5 * time.Second}},
		Done:  Done{Relayed: 2_100_000_000, Checked: 2_050_000_000, Planted: 100_000},
		Groups: []Group{
			{Number: 1, Way: "full load", About: "the full load", Sessions: 1, Ended: 1, Planted: 99_000, Begun: 0.5, Stopped: 9, Closed: 9.1},
			{Number: 3, Way: "closed", About: "the devices close them", Sessions: 4, Ended: 4, Planted: 1000, Begun: 1, Stopped: 3, Closed: 3},
		},
		Scans: []Scan{
			{At: 2, Moment: Live, Group: 3, Way: "closed", Took: 10 * time.Millisecond, Bytes: 20 << 20, Own: 3, Counts: counts(500, 20, 10, false)},
			after(time.Second), after(5 * time.Second),
		},
		Detectors: Observed(names(), observe.Result{
			NotChecked: []observe.Gap{{Detector: observe.DetectorOutput, Why: "there is no journal"}},
			Notes:      []observe.Finding{{Detector: observe.DetectorContent, What: "a note"}},
		}),
		Throughput: []Rate{{1, 3.5}, {2, 4}, {9, 4}, {10, 0}},
		Seconds:    12,
	}
}

// TestJudge: every kind of finding fails, everything that keeps an audit from
// being a proof makes it invalid, and both are told.
func TestJudge(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Report)
		want   Verdict
		why    string
	}{
		"sound":                    {func(*Report) {}, Pass, ""},
		"identifiers stay a while": {func(r *Report) { r.Scans[2].Counts[3].Found = 9 }, Pass, ""},
		"payload after close":      {func(r *Report) { r.Scans[1].Counts[0].Found = 1 }, Fail, "memory: 1 of payload 1.0 s after close (closed)"},
		"payload late":             {func(r *Report) { r.Scans[2].Counts[0].Found = 7 }, Fail, "memory: 7 of payload 5.0 s after close"},
		"ciphertext after close":   {func(r *Report) { r.Scans[1].Counts[1].Found = 1 }, Fail, "memory: 1 of ciphertext"},
		"plaintext in mid-session": {func(r *Report) { r.Scans[0].Counts[2].Found = 1 }, Fail, "memory: 1 of plaintext in mid-session"},
		"one scan came in a pause": {func(r *Report) {
			blind := r.Scans[0]
			blind.Own, blind.Counts = 0, slices.Clone(blind.Counts)
			for i := range blind.Counts {
				blind.Counts[i].Found = 0
			}
			r.Scans = append(r.Scans, blind)
		}, Pass, ""},
		"a detector":                {func(r *Report) { r.Detectors[1].Findings = []string{"wrong"} }, Fail, "content: wrong"},
		"a detector in a halt":      {func(r *Report) { r.Detectors[1].Findings = []string{"wrong"}; r.Errors = []string{"broken"} }, Fail, "halt: broken"},
		"blind to payload":          {func(r *Report) { r.Scans[0].Counts[0].Found = 0 }, Invalid, "found any payload, although"},
		"blind to the group":        {func(r *Report) { r.Scans[0].Own = 0 }, Invalid, "found any payload of the group"},
		"blind to ciphertext":       {func(r *Report) { r.Scans[0].Counts[1].Found = 0 }, Invalid, "found any ciphertext"},
		"blind to identifiers":      {func(r *Report) { r.Scans[0].Counts[3].Found = 0 }, Invalid, "found any identifiers"},
		"never looked":              {func(r *Report) { r.Scans = nil }, Invalid, "not scanned in mid-session"},
		"not looked in mid-session": {func(r *Report) { r.Scans = r.Scans[1:] }, Invalid, "not scanned in mid-session"},
		"not looked at 5 s":         {func(r *Report) { r.Scans = r.Scans[:2] }, Invalid, "not scanned 5s after close"},
		"looked too early":          {func(r *Report) { r.Scans[1].After = 900 * time.Millisecond }, Invalid, "not scanned 1s after close"},
		"looked too late":           {func(r *Report) { r.Scans[1].After = 4 * time.Second }, Invalid, "not scanned 1s after close"},
		"read nothing":              {func(r *Report) { r.Scans[1].Bytes = 0 }, Invalid, "not scanned 1s after close"},
		"too little":                {func(r *Report) { r.Done.Checked = 1e9 }, Invalid, "1.0 GB were relayed and checked, less than 2.0"},
		"too few opened":            {func(r *Report) { r.Groups[1].Sessions = 3 }, Invalid, "3 sessions were opened"},
		"too few ended":             {func(r *Report) { r.Groups[1].Ended = 3 }, Invalid, "and 3 ended"},
		"a way left out":            {func(r *Report) { r.Asked.Ways = append(r.Asked.Ways, "erased") }, Invalid, `in the way "erased"`},
		"nothing planted":           {func(r *Report) { r.Groups[1].Planted = 0 }, Invalid, "nothing was planted"},
		"a silent detector":         {func(r *Report) { r.Detectors = r.Detectors[:1] }, Invalid, `the detector "content" has told nothing`},
		"a blind detector":          {func(r *Report) { r.Detectors[1].Blind = true }, Invalid, `the detector "content" has looked at nothing`},
		"a log that is elsewhere":   {func(r *Report) { r.Detectors[0].Blind, r.Relay.Attached = true, true }, Pass, ""},
		"no log, and no reason":     {func(r *Report) { r.Detectors[0].Blind = true }, Invalid, "there is no journal"},
		"a halt":                    {func(r *Report) { r.Errors = []string{"broken"} }, Invalid, "came to a halt: broken"},
	} {
		t.Run(name, func(t *testing.T) {
			r := sound()
			c.change(r)
			r.Judge(names())
			if why := strings.Join(r.Why, "\n"); r.Verdict != c.want || !strings.Contains(why, c.why) || (c.why == "") != (why == "") {
				t.Errorf("%s, because of %q; want %s, because of %q", r.Verdict, why, c.want, c.why)
			}
		})
	}
}

// TestNotChecked: what a detector could not see is listed beside what no audit sees.
func TestNotChecked(t *testing.T) {
	r := sound()
	r.Judge(names())
	if len(r.NotChecked) != 1+len(never()) || r.NotChecked[0] != "output: there is no journal" {
		t.Errorf("%q", r.NotChecked)
	}
}

// TestObserved: each name has its own, and nobody else's.
func TestObserved(t *testing.T) {
	got := Observed(names(), observe.Result{Findings: []observe.Finding{{Detector: observe.DetectorContent, What: "x"}}})
	if len(got) != 2 || len(got[0].Findings) != 0 || len(got[1].Findings) != 1 {
		t.Errorf("%+v", got)
	}
}
