package endpoint

import (
	"math"
	"testing"

	"github.com/lethe-relay/lethe/bench/suite"
)

func TestDerive(t *testing.T) {
	round := map[string]suite.Sample{
		directStock:  {"sender_cpu_s_per_gb": 2, "receiver_cpu_s_per_gb": 3},
		relayedStock: {"sender_cpu_s_per_gb": 3, "receiver_cpu_s_per_gb": 3, "relay_cpu_s_per_gb": 2},
		relayedLethe: {"sender_cpu_s_per_gb": 2, "receiver_cpu_s_per_gb": 1, "relay_cpu_s_per_gb": 1},
	}
	derive(round)
	for line, want := range map[string][2]float64{directStock: {1, 0}, relayedStock: {1.2, 1}, relayedLethe: {0.6, 0.5}} {
		if got := round[line]; math.Abs(got[vsDirect]-want[0]) > 1e-9 || math.Abs(got[vsStock]-want[1]) > 1e-9 {
			t.Errorf("%s: %v", line, got)
		}
	}
	if _, there := round[directStock][vsStock]; there {
		t.Error("direct stock is compared with what is relayed")
	}
}
