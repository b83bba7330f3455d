package leaks

import (
	"time"

	"github.com/lethe-relay/lethe/bench/retention/drive"
	"github.com/lethe-relay/lethe/bench/retention/observe"
)

// Variant is a leak that a tagged build can do.
type Variant struct {
	Name   string   // as LETHE_LEAK takes it
	About  string   // what it does
	Caught []string // detectors that it should be caught by: one is enough
	Late   bool     // it shows only some 20 s after payload was seen
}

// Variants are all of them.
func Variants() []Variant {
	const memory = observe.DetectorMemory
	return []Variant{
		{Name: "file", About: "payload goes into a new file", Caught: []string{observe.DetectorFileEvents, observe.DetectorWriteBytes}},
		{Name: "early_descriptor", About: "into a file that was opened before the lockdown", Caught: []string{observe.DetectorDescriptors, observe.DetectorFileEvents, observe.DetectorWriteBytes}},
		{Name: "shared_mapping", About: "into a file that was mapped before the lockdown", Caught: []string{observe.DetectorMappings, observe.DetectorWriteBytes, memory}},
		{Name: "memfd", About: "into memory that is a file", Caught: []string{observe.DetectorDescriptors, observe.DetectorMappings, observe.DetectorSystemCalls, memory}},
		{Name: "log", About: "into a line of the log", Caught: []string{observe.DetectorOutput}},
		{Name: "metric", About: "into a label of a metric", Caught: []string{observe.DetectorMetrics}},
		{Name: "heap", About: "is copied to the heap", Caught: []string{memory}},
		{Name: "unwiped", About: "stays in packet buffers", Caught: []string{memory}},
		{Name: "child", About: "is given to a new process", Caught: []string{observe.DetectorProcesses, observe.DetectorSystemCalls}},
		{Name: "unix_socket", About: "goes out by a unix socket", Caught: []string{observe.DetectorEgress, observe.DetectorSystemCalls}},
		{Name: "udp", About: "goes out by UDP, to somebody else", Caught: []string{observe.DetectorEgress}},
		{Name: "early_socket", About: "goes out by sockets that were opened before the lockdown", Caught: []string{observe.DetectorEgress}},
		{Name: "one_in_10000", About: "one block in 10,000 is copied to the heap", Caught: []string{memory}},
		{Name: "late", About: "is kept in disguise, which falls 20 s later", Caught: []string{memory}, Late: true},
		{Name: "corrupt", About: "is wiped before it has left", Caught: []string{observe.DetectorContent}},
	}
}

// lateLook is when the leak that is 20 s late has shown.
const lateLook = 24 * time.Second

// options are those of an audit of the variant: small, but enough for it to show.
func (v Variant) options() drive.Options {
	o := drive.Quick()
	o.Gigabytes, o.Sessions, o.Ways = 0.02, 2, []drive.Way{drive.Closed}
	o.Carry = time.Second
	switch {
	case v.Late: // it says so only when it shows
		o.After = []time.Duration{time.Second, lateLook}
	case v.Name != "":
		o.Await = v.line()
	}
	return o
}

// line is what the build's lines about its leak begin with.
func (v Variant) line() string { return "leak " + v.Name + ": " }
