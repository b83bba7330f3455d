// Package stage is where the processes of one measurement play their parts.
//
//	stage.go    starts the parts, asks them, ends them
//	people.go   the router and the devices that they speak for
//	measure.go  warms up, and reads clocks and counters at both ends of the interval
//
// A [Stage] keeps its first error and does nothing after it, so that a scenario
// reads as a list of what it does; [Measure] returns the error.
package stage
