// Package lockdown has the kernel hold that a process keeps nothing and passes nothing on but through the
// sockets that it has. It is for a process that has opened all it needs and is about to handle what must not be kept:
//
//	Environment   first thing in main: the Go runtime is started as it must be, nothing odd is open
//	   …          the program opens its ports, files and memory
//	Enter         every thread is locked down, for good
//	   …          the program works
//	Verify        at any time: each control is tried, really, or read back
//
// # What each control stops, and what it doesn't
//
// No control is enough by itself.
//
//	no_new_privileges       executing a program does not give rights. Needed for the next two by who isn't root.
//	landlock                Whatever goes by a name: opening for reading and writing, creating, renaming, removing; TCP ports
//	                        (ABI 4); signals and abstract sockets (ABI 6). NOT: what is open already; UDP; MPTCP; connecting by
//	                        sending (MSG_FASTOPEN).
//	seccomp                 Every system call that is not in the list of calls_linux.go. So: no file is opened for writing
//	                        or mapped, no process started, no memory executed, no descriptor turned into another
//	                        kind, no socket opened, connected (by sending neither) or bound unless that is needed; nothing that was kept
//	                        out of core dumps is put back. NOT: write, sendmsg, and what else takes an open
//	                        descriptor, since the work is done with these; and it can't see addresses or names.
//	file_size_zero          Writing to a regular file, also one that was opened before. NOT: a shared mapping made before.
//	core_size_zero          Core files. NOT: core dumps into a pipe (kernel.core_pattern), which the next one stops.
//	not_dumpable            Core dumps of every kind; other processes of the same user reading the memory. NOT: root.
//	memory_locked           Swap. NOT: hibernation, the memory of virtual machines that are moved.
//	capabilities_dropped    What root can do beside the kernel's other checks. Empties all sets.
//	traceback_none          Goroutine dumps, which print words of arguments. NOT: the value of a panic.
//	freed_memory_clobbered  Reading what the heap has freed: the garbage collector overwrites it. NOT: what is not freed yet.
//
// What none of them stops: payload in a log line or a metric, payload kept in memory, payload sent by a socket that the
// process has, a shared file mapping made before. Those are seen by the audit (bench/retention), and by it alone.
//
// # The order of Enter, and why
//
//	 1  the self-test's fixture             a memfd, which could not be made later; and memory is freed, to see it overwritten
//	 2  what would be loaded later          the time zone, and root certificates if there are connections out
//	 3  no_new_privileges                   before Landlock and seccomp, on every thread
//	 4  memory_locked                       takes CAP_SYS_RESOURCE, unless RLIMIT_MEMLOCK is infinite
//	 5  file_size_zero, core_size_zero      hard limits too; SIGXFSZ is ignored, or the first write would end the process
//	 6  capabilities_dropped                takes CAP_SETPCAP for the bounding set
//	 7  not_dumpable                        after it, since a change of credentials may reset it
//	 8  landlock                            and a trial of it, because from 9 on another guard stands in front of it
//	 9  seccomp                             last: it forbids all of the above
//	10  with Require, the self-test         what can't be verified is missing
//
// All of 3 and 6 is done on every thread of the process, C's too (libcap's psx); 8 by psx, or the kernel from ABI 8; 9 by the
// kernel (TSYNC), which does all threads or none. Threads made later inherit it.
//
// When Enter gives an error, the process is locked down in part, and has to end: nothing can be taken back.
//
// # Landlock
//
// Asked for is exactly the highest ABI that the kernel and the library both know, never "best effort", which succeeds with nothing in force.
// ABI 1 (Linux 5.13) is enough: what younger ones add (moving between directories, truncating, ports, devices'
// ioctl, signals, abstract sockets) seccomp refuses by itself, and the filter allows no file to be opened for writing. One thing is lost
// below ABI 4 (Linux 6.7): connections out, where needed, are not held to their ports; the control says so.
// ABI 10's rights about UDP are left out: they would stop the relay's own sockets from answering.
//
// For reading only, and only what Needs lists. If there are connections out, also /etc and the folder of resolv.conf: the resolver's
// files are replaced by renaming, so a right to the file itself would end with it. That is all of /etc: as root, so without
// capabilities, also what only root may read there.
//
// # Seccomp
//
// Calls not in the list give EPERM. Calls that Go or glibc try first and can do without (clone3, openat2, io_uring, …) and calls
// younger than the table give ENOSYS, on which they fall back. clone must make a thread; mmap must be private, anonymous and not executable;
// openat must be read-only. amd64's x32 calls and calls by another machine's numbers are refused.
// Machines: amd64, arm64, arm. Others have no table, so there Require refuses and Prefer does without.
//
// # Memory
//
// All memory, present and future, is locked when it is touched (MCL_ONFAULT), if this user may lift RLIMIT_MEMLOCK, or it is infinite.
// With a limit, the heap could not grow past it. Otherwise memory_locked is not in force, which Require bears: the packet
// buffers lock themselves, within any usual limit.
//
// # The self-test
//
// An attempt counts as refused only with the errno that a refusal has: another error shows that it got past the guard. Landlock's errno
// (EACCES) differs from the filter's (EPERM), and opening a directory is left to Landlock alone, so each is seen by
// itself. The attempts use a memfd that stays empty, sockets that are closed again before they have a port (or none: the filter's EPERM
// comes before the EBADF of a socket that isn't there), and a name below the temporary folder
// that is never there; a tracer of system calls sees them fail. A control that could not be put in force is not tried.
// No socket stays open for the self-test: what is open can be sent by.
//
// Not tried but read back are core_size_zero, not_dumpable, no_new_privileges and capabilities_dropped, from the kernel; and
// traceback_none, from what the Go runtime was started with. freed_memory_clobbered is tried once, by Enter.
//
// # Under systemd and in containers
//
// A filter around this one must answer with an errno, not kill: the attempts would be the process's end. For
// systemd: SystemCallErrorNumber=EPERM with any SystemCallFilter, which has to contain landlock_create_ruleset,
// landlock_add_rule, landlock_restrict_self and seccomp. It adds nothing to the list here and may be left out. NoNewPrivileges,
// ProtectSystem=strict, PrivateTmp, MemoryDenyWriteExecute and the other settings may stay.
package lockdown
