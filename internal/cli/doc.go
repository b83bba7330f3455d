// Package cli is how our programs begin and end: signals, exit codes, what is
// printed where.
//
// # Rules
//
//   - stdout has what was asked for: results, the ready line, --json. Everything
//     else, log and progress included, goes to stderr.
//   - A failure is one sentence on stderr, behind the program's name. It says
//     what, where, and how to mend it.
//   - SIGINT and SIGTERM end a long-running program cleanly, with exit code 0.
//     A second one ends it at once. One that was to come to an end by itself
//     says that it was interrupted, with exit code 1.
//
// # Exit codes
//
//	0  done
//	1  failed
//	2  wrong usage: flags, arguments
//	3  refused by the relay or the router, or one of them is not who it should be
//	4  the relay or the router can't be reached
package cli
