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
//	├── opens      a scenario, of tunnels that are opened
//	├── swarm      a scenario, of many sessions that send little
//	├── latency    a scenario, of datagrams that are late because of others
//	├── stage      the processes of one measurement, and the measuring itself
//	├── suite      the frame: rounds, medians, tables, JSON
//	├── part       what the processes do: relay, router, devices, stock endpoints, sources
//	├── bare       sessions without tunnels
//	├── flows      thin flows through any relay: sources, sinks, times on the way
//	└── proc       processes: start, ask, CPU time, pin, end
//
// To add a scenario, write a package like opens and name it in scenarios. A new
// kind of process is a new part.
package main
