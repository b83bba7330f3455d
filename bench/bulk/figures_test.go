package bulk

import (
	"errors"
	"math"
	"testing"
	"time"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/bench/part"
)

func TestFigures(t *testing.T) {
	start := time.Unix(1000, 0)
	before := reading{
		at: start, cpu: []time.Duration{time.Second, 2 * time.Second},
		moved: part.Moved{Received: 1e9, Lost: 5},
		relay: part.Carried{Reads: 10, Messages: 20, Datagrams: 100, Dropped: 1},
	}
	after := reading{
		at: start.Add(2 * time.Second), cpu: []time.Duration{2 * time.Second, 5 * time.Second},
		moved: part.Moved{Received: 3e9, Lost: 25},
		relay: part.Carried{Reads: 110, Messages: 420, Datagrams: 2100, Dropped: 4},
	}
	got, err := figures([]string{"relay", "sender"}, before, after)
	if err != nil {
		t.Fatal(err)
	}
	for figure, want := range map[string]float64{
		gigabitsPerS: 8, "relay_cpu_s_per_gb": 0.5, "sender_cpu_s_per_gb": 1.5, "relay_cores": 0.5, "sender_cores": 1.5,
		"datagrams_per_message": 5, "messages_per_read": 4, "dropped_by_relay": 3, "lost_percent": 1,
	} {
		if math.Abs(got[figure]-want) > 1e-9 {
			t.Errorf("%s is %v, want %v", figure, got[figure], want)
		}
	}
	if _, err := figures(nil, before, before); !errors.Is(err, errNothing) {
		t.Errorf("nothing moved: %v", err)
	}
}

// TestPeople: the grant is good for the device at the router, with the keys as they are handed on.
func TestPeople(t *testing.T) {
	now := time.Now()
	p, err := newPeople(now)
	if err != nil {
		t.Fatal(err)
	}
	device, err := auth.ParseIdentity(p.devicePEM)
	if err != nil {
		t.Fatal(err)
	}
	grant, err := auth.Verify(p.grant, p.router, device.PublicKey(), now)
	if err != nil || !grant.Allows(part.Down) || !grant.Allows(part.Up) {
		t.Errorf("%v, %v", grant, err)
	}
}

// TestScenario: every bar and column speaks of lines and figures that there are.
func TestScenario(t *testing.T) {
	s := Scenario()
	lines := make(map[string]bool)
	for _, line := range s.Lines {
		lines[line.Name] = true
	}
	for _, bar := range s.Bars {
		for _, line := range bar.Lines {
			if !lines[line] {
				t.Errorf("bar %q is about line %q, which there is not", bar.What, line)
			}
		}
	}
}
