package stage

import (
	"errors"
	"maps"
	"math"
	"testing"
	"time"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/bench/part"
	"github.com/lethe-relay/lethe/bench/suite"
)

// TestPeople: grants are good for the device at the router, with the keys as they
// are handed on, and say what was demanded.
func TestPeople(t *testing.T) {
	now := time.Now()
	r, err := newRouter()
	if err != nil {
		t.Fatal(err)
	}
	for serial, demand := range map[uint64]func(*auth.Grant){0: nil, 7: func(g *auth.Grant) { g.Serial = 7 }} {
		d, err := r.newDevice(now, demand)
		if err != nil {
			t.Fatal(err)
		}
		device, err := auth.ParseIdentity(d.PEM)
		if err != nil {
			t.Fatal(err)
		}
		grant, err := auth.Verify(d.Grant, r.ID, device.PublicKey(), now)
		if err != nil || !grant.Allows(part.Down) || !grant.Allows(part.Up) || grant.Serial != serial {
			t.Errorf("%v, %v", grant, err)
		}
	}
	if _, err := r.newDevice(now, func(g *auth.Grant) { g.Role = "" }); err == nil {
		t.Error("a grant that can't be is made")
	}
}

func TestCPUFigures(t *testing.T) {
	s := Span[int]{Elapsed: 2 * time.Second, CPU: map[string]time.Duration{"relay": time.Second, "sender": 3 * time.Second}}
	got := suite.Sample{"other": 1}
	s.CPUFigures(got, "_cpu_ms_per_open", 500, 1000)
	for figure, want := range map[string]float64{
		"relay_cpu_ms_per_open": 2, "sender_cpu_ms_per_open": 6, "relay_cores": 0.5, "sender_cores": 1.5, "other": 1,
	} {
		if math.Abs(got[figure]-want) > 1e-9 {
			t.Errorf("%s is %v, want %v", figure, got[figure], want)
		}
	}
}

// TestEqualRoles: their CPU time counts together, and each has a profile of its own.
func TestEqualRoles(t *testing.T) {
	s := &Stage{roles: []string{"relay", "ends", "ends", "relay-2", "ends"}}
	seconds := func(n ...time.Duration) (r reading) {
		for _, n := range n {
			r.cpu = append(r.cpu, n*time.Second)
		}
		return r
	}
	got := s.usedBetween(seconds(1, 1, 2, 0, 3), seconds(2, 4, 4, 7, 4))
	if want := map[string]time.Duration{"relay": time.Second, "ends": 6 * time.Second, "relay-2": 7 * time.Second}; !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	for i, want := range []string{"relay", "ends", "ends-2", "relay-2", "ends-3"} {
		if got := s.profileName(i); got != want {
			t.Errorf("profile %d is %s, want %s", i, got, want)
		}
	}
}

// TestRealTimeFigure: one that was denied it is enough.
func TestRealTimeFigure(t *testing.T) {
	s, got := new(Stage), make(suite.Sample)
	for _, granted := range []bool{true, false, true} {
		s.Preferred(granted, nil)
		s.RealTimeFigure(got)
		if want := map[bool]float64{true: 0, false: 1}[s.denied]; got[suite.RealTime] != want || s.Err() != nil {
			t.Errorf("got %v, want %v; %v", got, want, s.Err())
		}
	}
	if got[suite.RealTime] != 0 {
		t.Error("it is forgotten")
	}
}

// TestFirstErrorStays: after an error nothing is done, and Measure returns it.
func TestFirstErrorStays(t *testing.T) {
	broken := errors.New("no luck")
	s := New(t.Context())
	s.err = broken
	defer s.Stop()
	child := s.Start("relay", part.RelayPart, nil)
	s.Ask(child, part.Open, nil, nil)
	s.NewDevice(s.NewRouter(), nil)
	_, err := Measure(s, suite.Env{Interval: time.Hour}, func() int { return 0 })
	if child != nil || !errors.Is(err, broken) {
		t.Errorf("child %v, %v", child, err)
	}
}
