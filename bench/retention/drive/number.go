package drive

// The number of a block, or of a datagram, says where it is from:
//
//	63      57 56     55         54      40 39         0
//	┌─────────┬──────┬──────────┬──────────┬────────────┐
//	│ group   │ kind │ sender   │ session  │ sequence   │
//	└─────────┴──────┴──────────┴──────────┴────────────┘
//
// The highest byte, which a scan counts by, tells the blocks of sessions that
// are closed from those of living ones, and the plaintext of tunnels from what
// the relay was given as it is.
const (
	groupShift   = 57
	tunnelBit    = 1 << 56 // the block is inside a tunnel
	routerBit    = 1 << 55 // the router has sent it
	sessionShift = 40

	topShift    = 56
	maxGroups   = 1 << (64 - groupShift)
	maxSessions = 1 << (55 - sessionShift)
)

// firstNumber is that of the first block that the device of a session sends.
func firstNumber(group, session int) uint64 {
	return uint64(group)<<groupShift | uint64(session)<<sessionShift
}

// flowOf is what all numbers of one flow have in common.
func flowOf(number uint64) uint64 { return number >> sessionShift }

// groupOf tells the group of a block by the highest byte of its number, and
// whether it was written into a tunnel.
func groupOf(top uint8) (group int, inTunnel bool) {
	return int(top) >> (groupShift - topShift), top&(tunnelBit>>topShift) != 0
}
