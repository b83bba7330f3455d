package transfer

import (
	"errors"
	"math"
	"testing"
	"time"

	"github.com/lethe-relay/lethe/bench/part"
	"github.com/lethe-relay/lethe/bench/stage"
)

func TestFigures(t *testing.T) {
	span := stage.Span[counted]{
		Elapsed: 2 * time.Second, CPU: map[string]time.Duration{"relay": time.Second, "sender": 3 * time.Second},
		Before: counted{
			moved: part.Moved{Received: 1e9, Lost: 5},
			relay: part.Carried{Reads: 10, Messages: 20, Datagrams: 100, Dropped: 1},
		},
		After: counted{
			moved: part.Moved{Received: 3e9, Lost: 25},
			relay: part.Carried{Reads: 110, Messages: 420, Datagrams: 2100, Dropped: 4},
		},
	}
	got, err := figures(span)
	if err != nil {
		t.Fatal(err)
	}
	for figure, want := range map[string]float64{
		GigabitsPerS: 8, "relay_cpu_s_per_gb": 0.5, "sender_cpu_s_per_gb": 1.5, "relay_cores": 0.5, "sender_cores": 1.5,
		"datagrams_per_message": 5, "messages_per_read": 4, "dropped_by_relay": 3, "lost_percent": 1,
	} {
		if math.Abs(got[figure]-want) > 1e-9 {
			t.Errorf("%s is %v, want %v", figure, got[figure], want)
		}
	}
	span.After = span.Before
	if _, err := figures(span); !errors.Is(err, errNothing) {
		t.Errorf("nothing moved: %v", err)
	}
}
