package lockdown

import (
	"slices"

	"golang.org/x/sys/unix"
)

// calls is the filter: what the process may still do. The calls of the data path come first, and those of them
// whose arguments are looked at before all, since for these the kernel runs the program each time.
func calls(needs Needs, pid int) []rule {
	rules := slices.Concat(sendCalls(),
		allow("recvmsg", "recvmmsg", "recvmmsg_time64", "recvfrom", "read", "write", "readv", "writev",
			"epoll_pwait", "epoll_wait", "futex", "futex_time64", "nanosleep", "clock_gettime", "clock_gettime64"),
		descriptorCalls(), memoryCalls(), threadCalls(pid), processCalls(), fileCalls(needs), networkCalls(needs),
		fallBack("io_uring_setup", "io_uring_enter", "io_uring_register", "openat2", "clone3", "faccessat2", "epoll_pwait2",
			"pidfd_open", "pidfd_send_signal", "splice", "tee", "sendfile", "sendfile64", "copy_file_range"))
	return rules
}

func allow(names ...string) (rules []rule) {
	for _, name := range names {
		rules = append(rules, rule{call: name})
	}
	return rules
}

// fallBack answers ENOSYS, on which Go and glibc do the thing in another way or report it as unsupported.
func fallBack(names ...string) (rules []rule) {
	for _, name := range names {
		rules = append(rules, rule{call: name, errno: unix.ENOSYS})
	}
	return rules
}

// is compares a whole argument of the kernel's type int.
func is(n uint32, want int) arg { return arg{n: n, mask: ^uint32(0), want: uint32(want)} }

// bits compares some bits of an argument.
func bits(n uint32, mask, want int) arg { return arg{n: n, mask: uint32(mask), want: uint32(want)} }

// sendCalls send, and don't connect: with MSG_FASTOPEN a TCP socket is connected by the call that sends, which is neither
// connect nor a matter of Landlock's ports.
func sendCalls() []rule {
	return []rule{
		{call: "sendmmsg", args: []arg{bits(3, unix.MSG_FASTOPEN, 0)}},
		{call: "sendmsg", args: []arg{bits(2, unix.MSG_FASTOPEN, 0)}},
		{call: "sendto", args: []arg{bits(3, unix.MSG_FASTOPEN, 0)}},
	}
}

// descriptorCalls use what is open, and open nothing but connections that come in.
func descriptorCalls() []rule {
	rules := allow("close", "lseek", "_llseek", "pread64", "fstat", "fstat64",
		"epoll_ctl", "epoll_create1", "eventfd2", "poll", "ppoll", "ppoll_time64", "pselect6", "pselect6_time64",
		"accept4", "shutdown", "getsockname", "getpeername", "setsockopt", "getsockopt")
	for _, command := range []int{unix.F_GETFD, unix.F_SETFD, unix.F_GETFL, unix.F_SETFL, unix.F_DUPFD_CLOEXEC} {
		rules = append(rules, rule{call: "fcntl", args: []arg{is(1, command)}})
	}
	for _, command := range []int{unix.F_GETFD, unix.F_SETFD, unix.F_GETFL, unix.F_SETFL, unix.F_DUPFD_CLOEXEC} {
		rules = append(rules, rule{call: "fcntl64", args: []arg{is(1, command)}})
	}
	return rules
}

// memoryCalls give and take memory that is nobody else's, no file's, and not executable. What memory has been kept out of
// (core dumps, children, merging with equal pages of others) it stays out of.
func memoryCalls() []rule {
	private := []arg{
		bits(2, unix.PROT_EXEC, 0),
		bits(3, unix.MAP_TYPE|unix.MAP_ANONYMOUS, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS),
	}
	return append(allow("munmap", "mremap", "brk", "mlock", "mlock2", "mincore"),
		rule{call: "madvise", args: []arg{is(2, unix.MADV_DODUMP)}, errno: unix.EPERM},
		rule{call: "madvise", args: []arg{is(2, unix.MADV_DOFORK)}, errno: unix.EPERM},
		rule{call: "madvise", args: []arg{is(2, unix.MADV_MERGEABLE)}, errno: unix.EPERM},
		rule{call: "madvise"},
		rule{call: "mmap", args: private},
		rule{call: "mmap2", args: private},
		rule{call: "mprotect", args: []arg{bits(2, unix.PROT_EXEC, 0)}})
}

// A clone must have all of threadFlags, so that it is a thread of this process, and none of processFlags.
const (
	threadFlags  = unix.CLONE_VM | unix.CLONE_SIGHAND | unix.CLONE_THREAD
	processFlags = unix.CLONE_VFORK | unix.CLONE_NEWNS | unix.CLONE_NEWCGROUP | unix.CLONE_NEWUTS |
		unix.CLONE_NEWIPC | unix.CLONE_NEWUSER | unix.CLONE_NEWPID | unix.CLONE_NEWNET
)

// threadCalls are what the Go runtime and pthreads need to run threads, and signals within this process.
func threadCalls(pid int) []rule {
	return append(allow("exit", "exit_group", "gettid", "getpid", "sched_yield", "sched_getaffinity", "set_robust_list", "rseq",
		"membarrier", "sigaltstack", "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "sigreturn", "rt_sigtimedwait",
		"rt_sigtimedwait_time64", "restart_syscall", "set_tls", "cacheflush"),
		rule{call: "clone", args: []arg{bits(0, threadFlags|processFlags, threadFlags)}},
		rule{call: "tgkill", args: []arg{is(0, pid)}})
}

// processCalls tell the time, give randomness, and read what the self-test wants to know.
func processCalls() []rule {
	rules := allow("clock_nanosleep", "clock_nanosleep_time64", "clock_getres", "clock_getres_time64", "gettimeofday", "time",
		"timer_create", "timer_settime", "timer_settime64", "timer_delete", "setitimer", "getrandom", "getrusage", "sysinfo", "uname", "getcpu", "times",
		"getppid", "getuid", "geteuid", "getgid", "getegid", "getuid32", "geteuid32", "getgid32", "getegid32", "capget")
	for _, option := range []int{unix.PR_GET_DUMPABLE, unix.PR_GET_NO_NEW_PRIVS, unix.PR_GET_SECCOMP, unix.PR_CAPBSET_READ} {
		rules = append(rules, rule{call: "prctl", args: []arg{is(0, option)}})
	}
	return append(rules,
		rule{call: "prctl", args: []arg{is(0, unix.PR_CAP_AMBIENT), is(1, unix.PR_CAP_AMBIENT_IS_SET)}},
		rule{call: "prctl", args: []arg{is(0, unix.PR_SET_VMA)}, errno: unix.EINVAL}, // Go stops naming its memory
		// Limits may be read, of this process, and not set.
		rule{call: "prlimit64", args: []arg{is(0, 0), {n: 2, mask: ^uint32(0), pointer: true}}})
}

// readOnly are the flags that a file may be opened with. Everything else is denied: what writes, creates,
// truncates, or opens without a name (O_TMPFILE).
const readOnly = unix.O_CLOEXEC | unix.O_DIRECTORY | unix.O_LARGEFILE | unix.O_NOCTTY | unix.O_NOFOLLOW | unix.O_NONBLOCK

// fileCalls open and look at files, for reading, which Landlock narrows down to those that are needed. If
// none is, only directories can be opened as far as this filter goes, so that the self-test gets to hear Landlock's no.
func fileCalls(needs Needs) []rule {
	if !needs.files() {
		return []rule{{call: "openat", args: []arg{bits(2, ^unix.O_LARGEFILE, openDir)}}}
	}
	return append(allow("newfstatat", "fstatat64", "statx", "getdents64", "readlinkat", "faccessat", "getcwd"),
		rule{call: "openat", args: []arg{bits(2, ^readOnly, unix.O_RDONLY)}})
}

// networkCalls make connections out, TCP and what names are resolved with. MPTCP, which Landlock does not see, is denied by
// its protocol number. Nothing is bound, so nothing can be listened on.
func networkCalls(needs Needs) (rules []rule) {
	if !needs.network() {
		return nil
	}
	const typeMask = ^(unix.SOCK_CLOEXEC | unix.SOCK_NONBLOCK)
	for _, domain := range []int{unix.AF_INET, unix.AF_INET6} {
		for _, s := range []struct{ kind, protocol int }{
			{unix.SOCK_STREAM, 0}, {unix.SOCK_STREAM, unix.IPPROTO_TCP}, {unix.SOCK_DGRAM, 0}, {unix.SOCK_DGRAM, unix.IPPROTO_UDP},
		} {
			rules = append(rules, rule{call: "socket", args: []arg{is(0, domain), bits(1, typeMask, s.kind), is(2, s.protocol)}})
		}
	}
	return append(rules, allow("connect")...)
}

func (n Needs) network() bool { return len(n.ConnectPorts) > 0 }

func (n Needs) files() bool { return n.network() || len(n.ReadDirs)+len(n.ReadFiles) > 0 }
