// Package suite is the frame that every scenario is measured in.
//
// A [Scenario] is a list of lines, and a line is a function that measures once
// and returns a [Sample]: figures by name. [Run] measures in rounds,
//
//	round 1:  A B C      round 2:  A B C      …
//
// so that whatever else the machine does falls on all lines alike. Ratios
// between lines are made within each round; what is reported is the median
// over the rounds, with the smallest and largest as the spread. Absolute
// figures are good for this machine on this day only. Ratios travel better.
//
// A line that can't be measured on a machine says so with [Skip], and is left
// out; a line that fails ends the run. A scenario may be measured [Elsewhere],
// by a program of its own.
//
// A new scenario is a function that returns a Scenario; it brings its own
// columns, bars and charts, and nothing here has to change for it.
//
//	scenario.go   what a scenario is
//	skip.go       what can't be measured here
//	run.go        rounds, interleaved
//	progress.go   what is going on, and how long it will take
//	figures.go    median and spread
//	judge.go      bars and verdicts
//	result.go     what became of a scenario
//	report.go     JSON, with the machine that it was measured on
//	table.go      what people read
//	plot.go       what people look at
package suite
