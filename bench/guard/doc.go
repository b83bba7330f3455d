// Package guard notices when something has become slower.
//
// It compares values with committed ones (bench/results/guard.json). Times are
// good for one machine on one day; so nearly all values are ratios, in one run,
// of a CPU time and another one: that of stock endpoints, of the same work with
// fewer sessions, or of work whose amount never changes (package yardstick). Of
// several rounds the best counts. Allocations per operation are exact.
//
//	measure ──▶ worse than the tolerance? ──no──▶ fine
//	                     │ yes
//	            measure those again ──▶ worse again? ──▶ WORSE
//
// Better is never a failure. What one value is allowed is stated beside it, in
// [Watched].
//
//	watched.go     what is watched
//	value.go       how a value is made of a result
//	functions.go   Go benchmarks of the hot functions, and their allocations
//	check.go       measure, compare, measure again
//	table.go       what people read
//	file.go        the committed values
package guard
