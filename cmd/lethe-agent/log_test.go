package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/tunnel/agent/journal"
)

// TestPrintLog: a line for each decision, in words, without what could steer a terminal.
func TestPrintLog(t *testing.T) {
	phone, laptop, gone := auth.DeviceID{1}, auth.DeviceID{2}, auth.DeviceID{3}
	at := time.Date(2026, 3, 4, 5, 6, 7, 0, time.Local)
	entries := []journal.Entry{
		{At: at, Device: phone, Event: journal.Opened, Verdict: "step_up", Score: 45, Needed: 60, Times: 3,
			Reasons: []string{"account_matched", "wifi_unknown", "geo_missing", "score_low", "a\x1b[2J"}},
		{At: at, Device: phone, Event: journal.ConfirmFailed, By: phone, Times: 1},
		{At: at, Device: phone, Event: journal.Confirmed, By: laptop, Times: 1},
		{At: at, Device: gone, Event: journal.Revoked, Times: 1},
		{At: at, Event: journal.Shared, ByForgotten: true, Times: 1},
	}
	var out bytes.Buffer
	if err := printLog(&out, entries, names{phone: "phone", laptop: "laptop"}); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"WHEN DEVICE WHAT VERDICT SCORE WHY",
		"2026-03-04 05:06:07 phone session, 3 times step_up 45/60 the Wi-Fi is not one that the router knows; the place is not shown; the score is too low",
		"2026-03-04 05:06:07 phone confirm failed by PIN - - -",
		"2026-03-04 05:06:07 phone confirmed by laptop - - -",
		"2026-03-04 05:06:07 " + gone.Short() + " revoked - - -",
		"2026-03-04 05:06:07 - shared by a forgotten device - - -",
	}
	for i, line := range strings.Split(strings.TrimSpace(out.String()), "\n") {
		if got := strings.Join(strings.Fields(line), " "); i >= len(want) || got != want[i] {
			t.Errorf("line %d:\n%s", i, got)
		}
	}
}
