// Package server is the relays that Lethe is compared with, as parts of a
// measurement (bench/proc).
//
//	Program   keeps another program running: coturn, strelaysrv, derper
//	Pion      a TURN server of the library github.com/pion/turn, in the part's own process
//
// Both answer [Start] with the process that the relay is, whose CPU time and memory
// the caller reads from /proc. A program is pinned to the processors that it is told;
// the part that keeps it ends it, and so none outlives the benchmark, however that ends.
package server
