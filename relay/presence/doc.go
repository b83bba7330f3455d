// Package presence knows which routers are connected to this relay now, and
// how to reach each. It lives in memory and forgets a router when its
// connection ends.
package presence
