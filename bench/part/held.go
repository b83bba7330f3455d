package part

import (
	"context"
	"runtime/metrics"
)

// Memory asks the relay part what it holds.
const Memory = "memory"

// Held is the answer to Memory: what a relay's runtime says of itself.
type Held struct {
	Routers     int    // present
	Heap        uint64 // bytes of objects, live or not collected yet
	Stacks      uint64 // bytes
	Goroutines  uint64
	Collections uint64 // garbage collections so far
}

func (r *relayOf) held(context.Context, struct{}) (any, error) {
	if err := r.alive(); err != nil {
		return nil, err
	}
	samples := []metrics.Sample{
		{Name: "/memory/classes/heap/objects:bytes"}, {Name: "/memory/classes/heap/stacks:bytes"},
		{Name: "/sched/goroutines:goroutines"}, {Name: "/gc/cycles/total:gc-cycles"},
	}
	metrics.Read(samples)
	return Held{
		Routers: r.relay.Routers(),
		Heap:    samples[0].Value.Uint64(), Stacks: samples[1].Value.Uint64(),
		Goroutines: samples[2].Value.Uint64(), Collections: samples[3].Value.Uint64(),
	}, nil
}
