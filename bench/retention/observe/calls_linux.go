package observe

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/elastic/go-seccomp-bpf/arch"
	"golang.org/x/sys/unix"
)

// TraceCalls watches which system calls the group makes, for window or until
// ctx ends. Findings: calls that succeeded and that a locked relay has no use
// for. Notes: such calls that the kernel refused. Calls of the data path itself (receiving,
// sending, waiting) are not looked at, so that the relay isn't slowed down.
func TraceCalls(ctx context.Context, g *Group, window time.Duration) (r Result) {
	info, err := arch.GetInfo("")
	if err != nil {
		r.blind(DetectorSystemCalls, fmt.Sprintf("the system calls of this processor have no names: %v", err))
		return r
	}
	trace, err := startTrace(g, info)
	if err != nil {
		r.blind(DetectorSystemCalls, fmt.Sprintf("system calls can't be traced (tracefs): %v", err))
		return r
	}
	select {
	case <-ctx.Done():
	case <-time.After(window):
	}
	text, lost, err := trace.end()
	if err != nil || lost > 0 {
		r.gap(DetectorSystemCalls, fmt.Sprintf("%d system calls were lost, %v", lost, err))
	}
	tally := tallyOf(parseTrace(text, info))
	for _, what := range slices.Sorted(maps.Keys(tally)) {
		c := tally[what]
		if c.done > 0 {
			r.found(DetectorSystemCalls, fmt.Sprintf("%s succeeded %d times", what, c.done))
		}
		for _, errno := range slices.Sorted(maps.Keys(c.refused)) {
			r.note(DetectorSystemCalls, fmt.Sprintf("%s was refused by the kernel %d times: %s", what, c.refused[errno], errno))
		}
	}
	return r
}

// busyCalls are those of the data path, which are not traced.
func busyCalls() []string {
	return strings.Fields("recvmmsg sendmmsg recvmsg sendmsg recvfrom sendto futex epoll_pwait epoll_wait epoll_pwait2 nanosleep clock_nanosleep sched_yield read write madvise")
}

// usualCalls are those that a running relay makes: to serve its
// metrics, to start threads, to look after its memory. What clone3 starts can't be told from
// its arguments, which are in memory: a process shows to the detector of processes.
func usualCalls() []string {
	return strings.Fields(`close epoll_ctl accept4 getsockname getpeername setsockopt getsockopt shutdown fcntl fstat newfstatat lseek
		munmap mprotect mincore mlock munlock mlock2 membarrier rt_sigaction rt_sigprocmask rt_sigreturn sigaltstack tgkill gettid getpid
		exit exit_group restart_syscall clock_gettime clock_getres gettimeofday timer_create timer_settime timer_delete setitimer
		getrandom uname capget clone3 sched_getaffinity getrusage getuid geteuid getgid getegid getrlimit rseq set_robust_list arch_prctl prctl
		eventfd2 pipe2 pread64 readlinkat fstatfs statx getdents64 ioctl writev readv wait4 waitid`)
}

// A call is one system call with its arguments and its answer.
type call struct {
	name     string
	args     [6]uint64
	answer   int64
	answered bool
}

// unusual says what a call does that a relay has no use for; empty if it is usual.
func (c call) unusual() string {
	const shared, anonymous = unix.MAP_SHARED, unix.MAP_ANONYMOUS
	switch c.name {
	case "mmap", "mmap2":
		if c.args[3]&shared != 0 {
			return "mmap of shared memory"
		}
		if c.args[3]&anonymous == 0 {
			return "mmap of a file"
		}
		return ""
	case "clone":
		if c.args[0]&unix.CLONE_THREAD != 0 {
			return ""
		}
		return "clone of a process"
	case "openat":
		return opens(c.args[2])
	case "open":
		return opens(c.args[1])
	case "prlimit64":
		if c.args[2] == 0 {
			return ""
		}
		return "prlimit64 of a new limit"
	}
	if slices.Contains(usualCalls(), c.name) || slices.Contains(busyCalls(), c.name) {
		return ""
	}
	return c.name
}

// opens judges the flags of open: files that are only read are looked at by file_events, which knows their names.
func opens(flags uint64) string {
	if flags&(unix.O_WRONLY|unix.O_RDWR|unix.O_CREAT) != 0 || flags&unix.O_TMPFILE == unix.O_TMPFILE {
		return "open for writing"
	}
	return ""
}

type outcome struct {
	done    int
	refused map[string]int // by the name of the error
}

// tallyOf counts what is unusual.
func tallyOf(calls []call) map[string]outcome {
	tally := make(map[string]outcome)
	for _, c := range calls {
		what := c.unusual()
		if what == "" || !c.answered && c.name != "execve" {
			continue
		}
		o := tally[what]
		if o.refused == nil {
			o.refused = make(map[string]int)
		}
		if c.answer < 0 {
			o.refused[unix.ErrnoName(unix.Errno(-c.answer))]++
		} else {
			o.done++
		}
		tally[what] = o
	}
	return tally
}

// parseTrace reads the lines of the kernel's trace: "name-tid [cpu] flags time: sys_enter: NR 257 (a, b, c, d, e, f)", and
// "sys_exit: NR 257 = -13".
func parseTrace(text string, info *arch.Info) (calls []call) {
	pending := make(map[string]call) // by thread
	for line := range strings.Lines(text) {
		before, entered, isEnter := strings.Cut(line, ": sys_enter: NR ")
		if !isEnter {
			before, entered, _ = strings.Cut(line, ": sys_exit: NR ")
		}
		thread, _, _ := strings.Cut(before, " [")
		thread = thread[strings.LastIndexByte(thread, '-')+1:]
		number, rest, ok := strings.Cut(strings.TrimSpace(entered), " ")
		nr, err := strconv.Atoi(number)
		if !ok || err != nil {
			continue
		}
		if isEnter {
			pending[thread] = call{name: callName(info, nr), args: argumentsOf(rest)}
			continue
		}
		c, known := pending[thread]
		if nr < 0 { // a return from a signal handler, or a call that a signal will repeat
			delete(pending, thread)
			continue
		}
		if !known || c.name != callName(info, nr) {
			c = call{name: callName(info, nr)}
		}
		delete(pending, thread)
		answer, err := strconv.ParseInt(strings.TrimPrefix(rest, "= "), 10, 64)
		c.answer, c.answered = answer, err == nil && known
		calls = append(calls, c)
	}
	for _, c := range pending {
		calls = append(calls, c)
	}
	return calls
}

func callName(info *arch.Info, nr int) string {
	if name, ok := info.SyscallNumbers[nr]; ok {
		return name
	}
	return fmt.Sprintf("system call %d", nr)
}

func argumentsOf(s string) (args [6]uint64) {
	for i, arg := range strings.Split(strings.Trim(s, "()"), ", ") {
		if i < len(args) {
			args[i], _ = strconv.ParseUint(arg, 16, 64)
		}
	}
	return args
}
