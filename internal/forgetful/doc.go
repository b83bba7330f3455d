// Package forgetful helps what is not needed any more to leave the memory, where the
// Go runtime leaves it: keys that were deleted from a map, and free stacks.
//
// The runtime's own map does not forget: deleting a key that has no pointers in it
// marks its place as free and leaves the bytes there until another key needs the
// place, which may be never. An identity or an address stays readable so for as long
// as the process lives, and no garbage collection helps.
//
// [Map] keys the runtime's map by hashes under a seed of its own, and holds each
// key in memory of its own, which it overwrites when the key is deleted. What is
// left is a hash. Who has all of the memory has the seed, too, and can see whether a
// hash is that of a key he thinks of: for an IPv4 address he can try them all, for
// an identity he must know it. When the map is empty it takes another seed, and no
// hash says anything any more.
//
// Stacks don't forget, either: see [Stack] and [Stacks].
package forgetful
