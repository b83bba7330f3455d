package drive

import (
	"time"

	"github.com/lethe-relay/lethe/bench/proc"
)

// Options say what to audit, and how much.
type Options struct {
	Launch Launch // how to start the relay
	Attach *Relay // or one that runs already; it is left running
	Unit   string // systemd unit of such a relay, whose journal is looked through; may be empty

	Gigabytes float64 // to relay and to check, at least
	Sessions  int     // to close in each way
	Ways      []Way
	After     []time.Duration // a close, when memory is scanned
	FullLoad  int             // sessions without tunnels that send as fast as the relay carries
	Tunnels   int             // tunnels that do
	Carry     time.Duration   // how long each group carries before it is scanned and closed
	Calls     time.Duration   // the window in which system calls are traced

	CPUs     []int        // that the ends may use; nil: all
	Flags    []string     // for the report
	Progress func(string) // is told what is going on

	// Await is what a line of the relay that was started begins with, for which each
	// group carries on until it is there. Empty for none.
	Await string

	// Printed is told what a relay that was started has printed, when it has ended. It may be nil.
	Printed func(lines []string)
}

// Whole is the audit that the claim is about.
func Whole() Options {
	return Options{
		Gigabytes: 20, Sessions: 200, Ways: Ways(), FullLoad: 4, Tunnels: 2,
		After: []time.Duration{time.Second, 5 * time.Second, 30 * time.Second},
		Carry: 3 * time.Second, Calls: 3 * time.Second,
	}
}

// Quick takes some seconds: it leaves out the ways that take the relay's idle
// time-out, and the late looks.
func Quick() Options {
	return Options{
		Gigabytes: 0.2, Sessions: 6, Ways: []Way{Closed, Erased}, FullLoad: 1, Tunnels: 1,
		After: []time.Duration{time.Second},
		Carry: time.Second, Calls: 3 * time.Second,
	}
}

// auditSockets are more than one, so that sockets are looked at that fall idle
// while others don't.
const auditSockets = 2

// Pin gives the relay the last processor, and the ends the others. On a machine
// with one, all share it.
func (o *Options) Pin() error {
	cpus, err := proc.CPUs()
	if err != nil {
		return err
	}
	last := len(cpus) - 1
	o.Launch.CPUs, o.CPUs, o.Launch.Sockets = cpus[last:], cpus[:max(last, 1)], auditSockets
	return nil
}
