// Command bench measures what Lethe costs, in one run on one machine, on
// loopback:
//
//	go run ./bench [SCENARIO…] [--seconds N] [--rounds N] [--json FILE] [--check]
//
// Without a name it runs all scenarios. Progress goes to stderr, the table to
// stdout. README.md says how to read it.
//
//	bench          flags, and the list of scenarios
//	├── bulk       a scenario, of bytes: its lines, columns and bars
//	├── endpoint   a scenario, of what the ends cost
//	├── opens      a scenario, of tunnels that are opened
//	├── transfer   bytes on their way, as several scenarios measure them
//	├── stage      the processes of one measurement, and the measuring itself
//	├── suite      the frame: rounds, medians, tables, JSON
//	├── part       what the processes do: relay, router, devices, stock endpoints, sources
//	├── bare       sessions without tunnels
//	└── proc       processes: start, ask, CPU time, pin, end
//
// To add a scenario, write a package like opens and name it in scenarios. A new
// kind of process is a new part.
package main
