// Package bulk is the scenario of tunnels that move as much as they can.
//
// Its lines are one and ten tunnels, down and up, through a relay that is pinned
// to one processor; one down through a relay that may use all; and the relay
// alone, with one and ten sessions of GSO batches instead of tunnels. What they
// are compared with is a download between two stock quic-go endpoints directly.
// Package transfer draws and measures them.
package bulk
