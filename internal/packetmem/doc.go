// Package packetmem is the memory that packets lie in while the relay has them.
//
// A relay's promise is about bytes: what it carries is nowhere a second after
// its session. That can only be kept for memory that one can name. So all
// packet buffers are cut from one [Memory], which is
//
//   - outside the Go heap: the garbage collector neither copies it nor hands it
//     to somebody else with the old bytes in it;
//   - locked, so that it is never swapped out, and page by page when it is first
//     used, so that what is not used costs nothing;
//   - excluded from core dumps, and not there in a child process;
//   - wiped and given back by [Memory.Close].
//
// Whoever takes a buffer wipes it, since only its owner knows when.
//
// The kernel may refuse a part of this, for a lack of privileges or of age. New
// gives memory all the same: [Memory.Locked] and [Memory.Undumped] tell what is
// in force, and the program that was asked to demand it can stop. On other systems than
// Linux the memory is plain heap, and both say so.
package packetmem
