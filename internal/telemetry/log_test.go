package telemetry

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"
)

type fruit uint8

func (f fruit) String() string { return [...]string{"apple", "pear"}[f] }

func logged(do func(*Log)) string {
	var text bytes.Buffer
	do(New(slog.New(slog.NewTextHandler(&text, nil))))
	return text.String()
}

func TestSay(t *testing.T) {
	got := logged(func(l *Log) {
		l.Say(RelayStarted, Number(Routers, 3), Duration(ValidFor, time.Hour), Flag(GRO, true), Code(Why, fruit(1)))
		l.Say(AdminTrouble)
	})
	for _, want := range []string{
		`level=INFO msg="relay started" routers=3 valid_for=1h0m0s gro=true why=pear`,
		`level=WARN msg="the admin listener had trouble with a request"`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %s in\n%s", want, got)
		}
	}
	var none *Log
	none.Say(RelayStarted)
	none.Instead(AdminTrouble).Print("nobody hears it")
}

// TestInstead: of what a library writes, nothing comes through.
func TestInstead(t *testing.T) {
	got := logged(func(l *Log) { l.Instead(AdminTrouble).Printf("http: panic serving %s", "192.0.2.1:4711") })
	if strings.Contains(got, "192.0.2.1") || strings.Contains(got, "panic") || !strings.Contains(got, AdminTrouble.String()) {
		t.Error(got)
	}
}

// TestAllHaveTexts: each once, so that a line of the log names one event.
func TestAllHaveTexts(t *testing.T) {
	seen := map[string]bool{"": true}
	for e := range events {
		if seen[e.String()] {
			t.Errorf("event %d has no text of its own: %q", e, e)
		}
		seen[e.String()] = true
	}
	for k := range keys {
		if seen[k.String()] {
			t.Errorf("key %d has no name of its own: %q", k, k)
		}
		seen[k.String()] = true
	}
}
