package server

import (
	"context"
	"os"

	"github.com/lethe-relay/lethe/bench/proc"
)

// PID is the request that [WithPID] adds. The answer is a [Running].
const PID = "pid"

// WithPID makes a part say which process it is: of Lethe's relay, which bench/part
// runs, time and memory are read in the same way as of the others.
func WithPID(newPart func() proc.Part) func() proc.Part {
	return func() proc.Part {
		p := newPart()
		p.Handlers[PID] = proc.Handle(func(context.Context, struct{}) (any, error) { return here(), nil })
		return p
	}
}

// here is this process.
func here() Running { return Running{os.Getpid()} }
