// Package leaks shows that the auditor finds what it looks for. It audits builds
// of the relay that leak on purpose, each in one way, with the kernel's lockdown
// and without:
//
//	with it      the kernel refuses the leak, or a detector catches it
//	without it   a detector catches it: nothing but the auditor stands in its way
//
// A leak counts as caught when a detector that it should be caught by has found
// something, and finds nothing in the same build when that doesn't leak.
package leaks
