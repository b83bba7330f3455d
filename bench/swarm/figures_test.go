package swarm

import (
	"errors"
	"math"
	"testing"
	"time"

	"github.com/lethe-relay/lethe/bench/flows"
	"github.com/lethe-relay/lethe/bench/part"
	"github.com/lethe-relay/lethe/bench/stage"
	"github.com/lethe-relay/lethe/bench/suite"
)

func TestFigures(t *testing.T) {
	span := stage.Span[counted]{
		Elapsed: 2 * time.Second, CPU: map[string]time.Duration{"relay": time.Second, "ends": 3 * time.Second},
		Before: counted{
			swarm: flows.Count{Sent: 1000, Received: 900, Lost: 100, Least: 1, Most: 200},
			relay: part.Carried{Reads: 10, Messages: 20, Dropped: 1},
		},
		After: counted{
			swarm: flows.Count{Sent: 401_000, Received: 400_900, Lost: 500, Least: 20, Most: 5000},
			relay: part.Carried{Reads: 110, Messages: 1220, Dropped: 4},
		},
	}
	got, err := figures(span)
	if err != nil {
		t.Fatal(err)
	}
	for figure, want := range map[string]float64{
		perS: 200_000, perCore: 400_000, "relay" + perDatagram: 2.5, "ends" + perDatagram: 7.5, "relay_cores": 0.5,
		perRead: 12, "dropped_by_relay": 3, lost: 0.1,
	} {
		if math.Abs(got[figure]-want) > 1e-9 {
			t.Errorf("%s is %v, want %v", figure, got[figure], want)
		}
	}
	starved := span
	starved.After.swarm.Least = 0
	still := span
	still.After.swarm.Received = still.Before.swarm.Received
	for name, span := range map[string]stage.Span[counted]{"a session got nothing": starved, "nothing arrived": still} {
		if _, err := figures(span); !errors.Is(err, errNothing) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestDerive(t *testing.T) {
	round := map[string]suite.Sample{Line(10): {perCore: 200}, Line(10_000): {perCore: 150}}
	derive(round)
	if round[Line(10)][vsFewest] != 1 || round[Line(10_000)][vsFewest] != 0.75 {
		t.Errorf("%v", round)
	}
}
