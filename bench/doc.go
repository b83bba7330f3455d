// Command bench measures what Lethe costs, in one run on one machine, on
// loopback:
//
//	go run ./bench [SCENARIO…] [--short] [--json FILE] [--plots DIR] [--check]
//	go run ./bench show FILE     a report again, without measuring
//	go run ./bench guard         has anything become slower?
//
// Without a name it runs all scenarios. Progress goes to stderr, tables to
// stdout. README.md says how to read them.
//
//	bench          flags, and the list of scenarios
//	├── bulk       a scenario, of bytes: its lines, columns and bars
//	├── swarm      a scenario, of many sessions that send little
//	├── latency    a scenario, of datagrams that are late because of others
//	├── open       a scenario, of sessions that are opened
//	├── programs   scenarios that programs of their own measure: retention, peers
//	├── stage      the processes of one measurement, and the measuring itself
//	├── suite      the frame: rounds, medians, progress, tables, pictures, JSON
//	├── picture    letters, colours and pages of all pictures
//	├── guard      comparison with committed ratios
//	├── yardstick  work that never changes, to compare with
//	├── part       what the processes do: relay, router, devices, stock endpoints, sources
//	├── bare       sessions without tunnels
//	├── flows      thin flows through any relay: sources, sinks, times on the way
//	└── proc       processes: start, ask, CPU time, pin, end
//
// To add a scenario, write a package like open and name it in scenarios. A new
// kind of process is a new part.
package main
