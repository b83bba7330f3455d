// Package pin keeps the PIN by which a person confirms a device in a strange
// environment, and counts the wrong ones.
//
// # Files
//
//	pin.json        the PIN's argon2id hash, its salt and parameters   hash.go
//	pin-tries.json  wrong tries and locks                              tries.go
//
// Both are private, and replaced as a whole. The PIN itself is in no file, error or log.
//
// # Guessing
//
// A PIN is short, so what protects it is the count. A device is locked for 15
// minutes after 5 wrong PINs in a row, for an hour after 5 more, then for a day
// after each 5. All devices together have 30 wrong PINs in any hour. A right PIN
// clears the count of its device.
//
// A try is on the disk as a wrong one before the PIN is looked at, and taken
// back if it was right. So a guess costs the same when the power is cut before
// the answer, and when the disk is full nobody guesses.
//
// A new PIN starts with no tries: what was guessed of the old one is worth
// nothing, and setting a PIN at the router is the way out for who is locked out.
//
// # Time
//
// Locks go by a clock of their own (clock.go). While the program runs it
// advances with the monotonic clock, whatever is done to the wall clock. When the
// program starts it is the later of the wall clock and of what it was when it was last
// stored, so it never goes back. It follows that
//
//   - a wall clock that is set back, or a router that wakes up in 1970, opens no
//     lock. It lengthens none while the program runs: a lock of a day ends after a day of running, and
//     restarts lose at most [storeEvery] of it if the device asks now and then;
//   - a wall clock that is ahead at a start opens what would have opened
//     by then. It does so once: the clock stays ahead, and only running time counts
//     until the wall clock has caught up.
//
// # Memory
//
// One check takes 19 MiB, so there is one at a time, a few wait, and more are refused.
package pin
