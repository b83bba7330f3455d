// Package hostcheck looks at the machine that a relay runs on, for what the relay
// itself can't hold: swap, hibernation, core dumps, crash kernels, logs, and other
// programs that watch.
//
// Each check reads a few files of /proc, /sys or /etc, or asks the kernel one
// question. It gives findings, each with how to mend it, or says why it could not
// look: what was not checked is never passed off as good. Nothing is changed.
//
// A finding is bad when what a relay holds, or has given to the kernel, can end up
// on a disk or in other hands, or when the relay can't hold its promise or run. It is
// advice when something is worth knowing, or less good than it could be.
//
// The files are read below a root that tests replace. What is checked, and what
// stands behind it, is told in deploy/docs/retention.md.
package hostcheck
