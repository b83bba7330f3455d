// Package splice joins two stream connections: what arrives on one leaves on the other, in both directions.
//
// The two directions end independently, as they do in TCP. When one side ends its sending direction (a FIN), the other
// side's sending direction is ended too, and bytes keep flowing the other way until that direction ends as well:
//
//	a ── bytes, FIN ──▶ b        direction "a to b" is finished
//	a ◀────── bytes ─── b        direction "b to a" goes on until b ends it
//
// A direction that fails takes the other one with it. A stream that was cut short must not look complete to the
// far side, so a failure is passed on as a reset where the connection can carry one: see [Aborter].
package splice
