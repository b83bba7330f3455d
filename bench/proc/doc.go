// Package proc runs the parts of a measurement as processes of their own, so
// that the CPU time of each can be told apart.
//
// A child is this program started again. Parent and child speak in JSON, one
// value after the other, over the child's standard input and output:
//
//	parent ── {"do":"open","args":{…}} ──► stdin   child
//	       ◄─ {"value":{…}} or {"error":"…"} ── stdout
//
// Requests are answered one at a time and at once; what takes time runs on in
// the child. Every child also answers "profile" and "profile-end".
//
// # No orphans
//
// The parent ends each child by closing its standard input, and kills it if
// that does not help. When the parent dies, the system closes that pipe, and
// the child ends by itself. Children are in process groups of their own, so
// that an interrupt from the terminal reaches the parent alone, which then
// ends them in order.
package proc
