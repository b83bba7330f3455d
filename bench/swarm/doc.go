// Package swarm is the scenario of many sessions that each send little.
//
//	source ─┬─ session 0 ─┬─ relay(1 core) ─┬─ session 0 ─┬─ sink
//	        ├─ session 1 ─┤                 ├─ session 1 ─┤
//	        └─     …     ─┘                 └─     …     ─┘
//
// Their datagrams come one by one, each of another session than the one before,
// so that nothing can be merged: neither by the kernel when the relay reads, nor
// when it sends. The lines differ in the number of sessions:
//
//	10, 100, 1000, 10000 sessions
//
// All sessions are admitted and bound as any other. Source and sink are one
// thread (package flows) and stay off the relay's processor.
package swarm
