package lockdown

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// An attempt is something that a process under lockdown must not get done.
type attempt struct {
	name    string       // as in "tried to NAME"
	refusal []unix.Errno // what a refusal looks like
	try     func(*fixture) error
}

// judge makes all attempts and says in half a sentence what they gave. The error names those that were not
// refused: that they failed in another way does not count, since it shows that they got past the guard.
func judge(f *fixture, attempts []attempt) (string, error) {
	var refused, through []string
	for _, a := range attempts {
		err := a.try(f)
		var errno unix.Errno
		if errors.As(err, &errno) && isOneOf(errno, a.refusal) {
			refused = append(refused, a.name)
			continue
		}
		outcome := "it worked"
		if err != nil {
			outcome = err.Error()
		}
		through = append(through, fmt.Sprintf("%s (%s)", a.name, outcome))
	}
	if len(through) > 0 {
		return "", fmt.Errorf("tried and not refused: %s", strings.Join(through, ", "))
	}
	return "tried and refused: " + strings.Join(refused, ", "), nil
}

func isOneOf(errno unix.Errno, list []unix.Errno) bool {
	for _, e := range list {
		if errno == e {
			return true
		}
	}
	return false
}

// bySeccomp are the attempts that the filter refuses whatever the process needs. A filter around this one, as
// systemd or a container sets, may refuse with another errno.
func bySeccomp() []attempt {
	no := []unix.Errno{unix.EPERM, unix.EACCES, unix.ENOSYS}
	return []attempt{
		{"create a file", no, createFile},
		{"open a file for writing", no, openForWriting},
		{"truncate a file", no, truncate},
		{"map a file shared", no, mapShared},
		{"map executable memory", no, mapExecutable},
		{"make memory executable", no, makeExecutable},
		{"have memory dumped", no, haveDumped},
		{"create a file in memory", no, createMemfd},
		{"fork", no, fork},
		{"execute a program", no, execute},
		{"signal a process", no, signalProcess},
		{"trace a process", no, trace},
		{"read a process's memory", no, readMemory},
		{"bind a TCP port", no, bindTCP},
		{"connect over TCP while sending", no, sendConnecting},
		{"open an MPTCP socket", no, openSocket(unix.AF_INET, unix.SOCK_STREAM, unix.IPPROTO_MPTCP)},
		{"open a unix socket", no, openSocket(unix.AF_UNIX, unix.SOCK_STREAM, 0)},
		{"open a netlink socket", no, openSocket(unix.AF_NETLINK, unix.SOCK_RAW, 0)},
		{"become dumpable", no, becomeDumpable},
		{"raise a limit", no, raiseLimit},
		{"use io_uring", no, ioURing},
		{"open by openat2", no, openat2},
	}
}

// bySeccompOffline are those that it refuses in addition if nothing has to be connected to.
func bySeccompOffline() []attempt {
	no := []unix.Errno{unix.EPERM, unix.EACCES, unix.ENOSYS}
	return []attempt{
		{"connect over TCP", no, connectTCP},
		{"connect over UDP", no, connectUDP},
		{"open a TCP socket", no, openSocket(unix.AF_INET, unix.SOCK_STREAM, 0)},
		{"open a UDP socket", no, openSocket(unix.AF_INET, unix.SOCK_DGRAM, 0)},
	}
}

func createFile(f *fixture) error {
	fd, err := unix.Open(f.scratch, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return err
	}
	unix.Close(fd)
	return unix.Unlink(f.scratch)
}

func openForWriting(*fixture) error {
	return closed(unix.Open(os.DevNull, unix.O_WRONLY|unix.O_CLOEXEC, 0))
}

func openDirectory(f *fixture) error { return closed(unix.Open(f.probe, openDir, 0)) }

func closed(fd int, err error) error {
	if err != nil {
		return err
	}
	return unix.Close(fd)
}

func truncate(f *fixture) error { return unix.Ftruncate(f.file, 0) }

// write is refused by the limit on file sizes, and by nothing else: the descriptor is open.
func write(f *fixture) error {
	if _, err := unix.Write(f.file, []byte{0}); err != nil {
		return err
	}
	_, err := unix.Seek(f.file, 0, 0)
	return errors.Join(err, unix.Ftruncate(f.file, 0))
}

func mapShared(f *fixture) error {
	return mapped(f.file, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
}

func mapExecutable(*fixture) error {
	return mapped(-1, unix.PROT_READ|unix.PROT_EXEC, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
}

func mapped(fd, protection, flags int) error {
	memory, err := unix.Mmap(fd, 0, os.Getpagesize(), protection, flags)
	if err != nil {
		return err
	}
	return unix.Munmap(memory)
}

func makeExecutable(*fixture) error {
	return withPage(func(page []byte) error { return unix.Mprotect(page, unix.PROT_READ|unix.PROT_EXEC) })
}

func haveDumped(*fixture) error {
	return withPage(func(page []byte) error { return unix.Madvise(page, unix.MADV_DODUMP) })
}

// withPage runs use with a page of fresh memory.
func withPage(use func(page []byte) error) error {
	page, err := unix.Mmap(-1, 0, os.Getpagesize(), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
	if err != nil {
		return err
	}
	return errors.Join(use(page), unix.Munmap(page))
}

func createMemfd(*fixture) error { return closed(memfd()) }

// fork makes a child that ends at once. It may do nothing else: it is a copy of one thread of many.
//
//go:norace
func fork(*fixture) error {
	syscall.ForkLock.Lock()
	defer syscall.ForkLock.Unlock()
	child, _, errno := syscall.RawSyscall6(unix.SYS_CLONE, uintptr(unix.SIGCHLD), 0, 0, 0, 0, 0)
	if errno != 0 {
		return errno
	}
	if child == 0 {
		for {
			syscall.RawSyscall(unix.SYS_EXIT_GROUP, 0, 0, 0)
		}
	}
	_, err := unix.Wait4(int(child), nil, 0, nil)
	return err
}

// execute names no program: where it is not refused, it fails with EFAULT instead of replacing this one.
func execute(*fixture) error { return failed(syscall.RawSyscall(unix.SYS_EXECVE, 0, 0, 0)) }

func failed(_, _ uintptr, errno syscall.Errno) error {
	if errno != 0 {
		return errno
	}
	return nil
}

// signalProcess sends the signal that is none.
func signalProcess(*fixture) error { return unix.Kill(os.Getpid(), 0) }

// trace names no process, since a traced one would stop: where it is not refused, it fails with ESRCH.
func trace(*fixture) error { return unix.PtraceSeize(0) }

func readMemory(*fixture) error {
	from, to := []byte{1}, []byte{0}
	local, remote := unix.Iovec{Base: &to[0]}, unix.RemoteIovec{Base: uintptr(unsafe.Pointer(&from[0])), Len: 1}
	local.SetLen(1)
	_, err := unix.ProcessVMReadv(os.Getpid(), []unix.Iovec{local}, []unix.RemoteIovec{remote}, 0)
	return err
}

func loopback(port int) unix.Sockaddr {
	return &unix.SockaddrInet4{Port: port, Addr: [4]byte{127, 0, 0, 1}}
}

// withSocket runs use with a fresh socket, never bound, never connected. Where none can be opened, it is run with none: a
// filter answers before the kernel looks for the socket, which gives EBADF, and that is no refusal.
func withSocket(kind int, use func(fd int) error) error {
	fd, err := unix.Socket(unix.AF_INET, kind|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return use(-1)
	}
	return errors.Join(use(fd), unix.Close(fd))
}

// bindTCP takes any free port.
func bindTCP(*fixture) error {
	return withSocket(unix.SOCK_STREAM, func(fd int) error { return unix.Bind(fd, loopback(0)) })
}

// connectTCP takes a port that nobody needs: tcpmux. Nobody listens there, and where it is not refused it fails
// as connections to such ports do.
func connectTCP(*fixture) error {
	return withSocket(unix.SOCK_STREAM, func(fd int) error { return unix.Connect(fd, loopback(1)) })
}

// sendConnecting goes to the same port without connect, and without Landlock hearing of it.
func sendConnecting(*fixture) error {
	return withSocket(unix.SOCK_STREAM, func(fd int) error {
		return unix.Sendto(fd, []byte{0}, unix.MSG_FASTOPEN|unix.MSG_NOSIGNAL, loopback(1))
	})
}

func connectUDP(*fixture) error {
	return withSocket(unix.SOCK_DGRAM, func(fd int) error { return unix.Connect(fd, loopback(1)) })
}

func openSocket(domain, kind, protocol int) func(*fixture) error {
	return func(*fixture) error { return closed(unix.Socket(domain, kind|unix.SOCK_CLOEXEC, protocol)) }
}

// becomeDumpable puts back what it found if it works.
func becomeDumpable(*fixture) error {
	was, err := unix.PrctlRetInt(unix.PR_GET_DUMPABLE, 0, 0, 0, 0)
	if err != nil {
		return err
	}
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 1, 0, 0, 0); err != nil {
		return err
	}
	return unix.Prctl(unix.PR_SET_DUMPABLE, uintptr(was), 0, 0, 0)
}

// raiseLimit tries to write to files again; it puts back what it found if that works.
func raiseLimit(*fixture) error {
	var was unix.Rlimit
	if err := unix.Prlimit(0, unix.RLIMIT_FSIZE, nil, &was); err != nil {
		return err
	}
	raised := was
	if raised.Max != unix.RLIM_INFINITY {
		raised.Max++
	}
	raised.Cur = raised.Max
	if err := unix.Prlimit(0, unix.RLIMIT_FSIZE, &raised, nil); err != nil {
		return err
	}
	return unix.Prlimit(0, unix.RLIMIT_FSIZE, &was, nil)
}

// ioURing gives no parameters: where it is not refused, it fails with EFAULT or EINVAL.
func ioURing(*fixture) error {
	return failed(syscall.RawSyscall(unix.SYS_IO_URING_SETUP, 1, 0, 0))
}

func openat2(*fixture) error {
	return closed(unix.Openat2(unix.AT_FDCWD, "/", &unix.OpenHow{Flags: openDir}))
}
