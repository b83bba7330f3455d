// Package latency is the scenario of a datagram that is late because of others.
//
//	prober ─── 10 quiet sessions ─── relay(1 core) ─── prober      is late by so much
//	       ───────────────────────────────────────────              than without the relay
//	load   ─── other sessions ────── relay(1 core) ─── load
//
// The lines differ in what the other sessions do:
//
//	idle            there are none
//	50 % load       100 sessions send half of what the relay carries of their shape,
//	                which is measured just before
//	90 % load       the same, nine tenths
//	greedy          one session sends GSO runs as fast as its processor makes them,
//	                whatever is lost
//	greedy tunnel   one tunnel downloads
//
// The relay goes before what else the machine does on its processor, where the
// system permits, and all but the relay stay off it and share the others. So
// a load also disturbs the prober. Three things keep that out of the figures: a datagram's way
// ends by the kernel's clock (package flows); the prober's thread is preferred to
// all others, where the system permits; and as often as through the relay it sends
// directly, with the same disturbance, which is subtracted and shown.
//
// What is subtracted is a quantile of other datagrams, so of a disturbance that is
// larger than what the relay adds, less than nothing may be left. Then the
// round has no ratio. A line without one in any round reaches no bar. Bars on what is not
// subtracted would be reached the easier, the more the machine does besides.
package latency
