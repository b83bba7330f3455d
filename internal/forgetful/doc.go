// Package forgetful helps what is not needed any more to leave the memory, where the
// Go runtime leaves it: keys that were deleted from a map, and free stacks.
//
// The runtime's own map does not forget: deleting a key that has no pointers in it
// marks its place as free and leaves the bytes there until another key needs the
// place, which may be never. An identity or an address stays readable so for as long
// as the process lives, and no garbage collection helps.
//
// [Map] keys the runtime's map by hashes under a seed of the process, and holds each
// key in memory of its own, which it overwrites when the key is deleted. So what is
// left is a number that says nothing.
//
// Stacks don't forget, either: see [Stack] and [Stacks].
package forgetful
