package idle

import (
	"errors"
	"fmt"
	"time"

	"github.com/lethe-relay/lethe/bench/part"
	"github.com/lethe-relay/lethe/bench/stage"
	"github.com/lethe-relay/lethe/bench/suite"
)

// The figures.
const (
	resident        = "resident_kb_per_router"
	heap            = "heap_kb_per_router"
	stacks          = "stack_kb_per_router"
	goroutines      = "goroutines_per_router"
	perMinute       = "relay_cpu_ms_per_router_minute"
	perRegistration = "relay_cpu_ms_per_registration"
	growth          = "growth_percent_per_minute"
)

const kb = 1e3 // bytes, as in the scenario peers

var (
	errRestless = errors.New("the relay has not collected its garbage in all that time")
	errNobody   = errors.New("no router was registered")
)

// view is the relay at one moment.
type view struct {
	held     part.Held
	resident int64         // bytes
	cpu      time.Duration // used so far
}

// figures makes a sample of what the relay was before the routers came, when they had
// registered, and from the beginning to the end of the measured time.
func figures(before, registered view, span stage.Span[view]) (suite.Sample, error) {
	last := span.After
	n := float64(registered.held.Routers - before.held.Routers)
	switch {
	case n <= 0:
		return nil, errNobody
	case last.held.Routers != registered.held.Routers:
		return nil, fmt.Errorf("%d routers registered, %d are left", registered.held.Routers, last.held.Routers)
	}
	grown := float64(last.resident - span.Before.resident)
	return suite.Sample{
		resident:        float64(max(last.resident, span.Before.resident)-before.resident) / kb / n,
		heap:            (float64(last.held.Heap) - float64(before.held.Heap)) / kb / n,
		stacks:          (float64(last.held.Stacks) - float64(before.held.Stacks)) / kb / n,
		goroutines:      (float64(last.held.Goroutines) - float64(before.held.Goroutines)) / n,
		perMinute:       1000 * 60 * span.Rate((last.cpu - span.Before.cpu).Seconds()) / float64(last.held.Routers),
		perRegistration: 1000 * (registered.cpu - before.cpu).Seconds() / n,
		growth:          100 * 60 * span.Rate(grown) / float64(last.resident),
	}, nil
}
