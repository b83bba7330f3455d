// Package observe watches a process from outside, as root, and tells what it
// did that a relay which keeps nothing doesn't do.
//
// An observer is started, runs beside the audited process, and gives a [Result] when it is
// stopped. It never fails: what this machine can't show is a [Gap] of the result, with the
// reason, so that no report is silent about it.
//
//	detector      what it looks at                               how
//	descriptors   open files, by kind and flags                  /proc/PID/fd, fdinfo, every 100 ms
//	mappings      shared, deleted and memfd mappings             /proc/PID/maps, every 100 ms
//	write_bytes   bytes on their way to a disk                   cgroup (blkio, io) and /proc/PID/io
//	file_events   opened and changed files, of every mount       fanotify
//	system_calls  what was called, in a window of time           tracefs, raw_syscalls
//	output        what it prints                                 pipes, journal
//	metrics       what it publishes                              scrapes
//	egress        to whom it sends; sockets it has               AF_PACKET, /proc/PID/net
//	memory        all that it has in memory                      /proc/PID/mem
//	swap          memory on a disk                               /proc/PID/status, cgroup
//	processes     what it starts                                 cgroup, process events of the kernel
//	core          whether it leaves a core file                  core_pattern; SIGABRT at the end
//
// (The detector "content", what arrives at the far end, is in package canary.)
//
// All observers of one audit share a [Group]: the process and whatever it starts.
//
// Only Linux has what this needs; elsewhere the package holds the types of results and
// [ErrSystem].
package observe
