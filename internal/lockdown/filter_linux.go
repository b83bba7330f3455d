package lockdown

import (
	"fmt"
	"runtime"
	"unsafe"

	"github.com/elastic/go-seccomp-bpf/arch"
	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// A rule is one way in which a system call is answered. Rules of one call stand together and are tried in turn;
// if none applies, or a call has none, it gets EPERM.
type rule struct {
	call  string
	args  []arg      // all must hold
	errno unix.Errno // 0: the call is allowed
}

// An arg holds if argument n, under the mask, is want. The kernel's int arguments are the lower half of a
// register, so the upper half counts only in a pointer.
type arg struct {
	n, mask, want uint32
	pointer       bool
}

// Offsets in struct seccomp_data, all fields little-endian: the machines that callTable knows are.
const (
	offsetCall = 0
	offsetArch = 4
	offsetArgs = 16
	sizeArg    = 8
	word       = 4
)

// x32 is where the calls of amd64's second ABI begin. They are the same calls by other numbers.
const x32 = 0x4000_0000

// armPrivate is where ARM's private calls begin, far above all others.
const armPrivate = 0xf_0000

// callTable gives the numbers of the calls on this machine, or says that they aren't known.
func callTable() (*arch.Info, error) {
	switch runtime.GOARCH {
	case "amd64", "arm64", "arm":
		return arch.GetInfo(runtime.GOARCH)
	}
	return nil, fmt.Errorf(`there is no table of system calls for %s: run the relay on amd64, arm64 or arm, or set "lockdown: prefer" in relay.yaml`, runtime.GOARCH)
}

// assemble makes the filter's program. Policies of go-seccomp-bpf can't be used: after a check of an argument that
// does not hold, its program compares that argument, not the call, with the numbers that follow, and so allows a
// mapping that is writable and executable (prot 7 is the number of poll). It also has no errno but EPERM.
//
// Each call is one block that either returns or is jumped over as a whole, so no jump is long. The kernel does not
// run the program at all for calls that it allows whatever their arguments (Linux 5.11).
func assemble(info *arch.Info, rules []rule) []bpf.Instruction {
	program := []bpf.Instruction{
		bpf.LoadAbsolute{Off: offsetArch, Size: word},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: uint32(info.ID), SkipTrue: 1},
		answer(unix.EPERM),
		bpf.LoadAbsolute{Off: offsetCall, Size: word},
	}
	for len(rules) > 0 {
		n := 1
		for n < len(rules) && rules[n].call == rules[0].call {
			n++
		}
		if number, here := info.SyscallNames[rules[0].call]; here { // others have it: fstat64 is ARM's
			body := block(rules[:n])
			program = append(program, bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: uint32(number), SkipTrue: uint8(len(body))})
			program = append(program, body...)
		}
		rules = rules[n:]
	}
	return append(program,
		bpf.JumpIf{Cond: bpf.JumpGreaterThan, Val: newest(info), SkipFalse: 1}, // x32 too
		answer(unix.ENOSYS),
		answer(unix.EPERM))
}

// block answers one call; it has at most 255 instructions, which a test holds.
func block(rules []rule) (program []bpf.Instruction) {
	for _, r := range rules {
		one := alternative(r)
		if len(r.args) == 0 {
			return append(program, one...)
		}
		program = append(program, one...)
	}
	return append(program, answer(unix.EPERM))
}

// alternative returns r's answer, or goes on behind itself.
func alternative(r rule) (program []bpf.Instruction) {
	var jumps []int
	need := func(want uint32) {
		jumps = append(jumps, len(program))
		program = append(program, bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: want})
	}
	for _, a := range r.args {
		if a.pointer {
			program = append(program, bpf.LoadAbsolute{Off: offsetArgs + a.n*sizeArg + word, Size: word})
			need(0)
		}
		program = append(program,
			bpf.LoadAbsolute{Off: offsetArgs + a.n*sizeArg, Size: word},
			bpf.ALUOpConstant{Op: bpf.ALUOpAnd, Val: a.mask})
		need(a.want)
	}
	program = append(program, answer(r.errno))
	for _, at := range jumps {
		jump := program[at].(bpf.JumpIf)
		jump.SkipTrue = uint8(len(program) - at - 1)
		program[at] = jump
	}
	return program
}

func answer(errno unix.Errno) bpf.Instruction {
	if errno == 0 {
		return bpf.RetConstant{Val: unix.SECCOMP_RET_ALLOW}
	}
	return bpf.RetConstant{Val: unix.SECCOMP_RET_ERRNO | uint32(errno)}
}

// newest is the highest number in the table. Calls above it are younger than this program, and whoever
// probes for them falls back when they don't exist.
func newest(info *arch.Info) (highest uint32) {
	for number := range info.SyscallNumbers {
		if number < armPrivate {
			highest = max(highest, uint32(number))
		}
	}
	return highest
}

// load puts the program in force on all threads, present and future. All of them must have
// no_new_privs.
func load(program []bpf.Instruction) error {
	raw, err := bpf.Assemble(program)
	if err != nil {
		return err
	}
	filter := make([]unix.SockFilter, len(raw))
	for i, in := range raw {
		filter[i] = unix.SockFilter{Code: in.Op, Jt: in.Jt, Jf: in.Jf, K: in.K}
	}
	prog := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	thread, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC, uintptr(unsafe.Pointer(&prog)))
	switch {
	case errno == unix.ENOSYS || errno == unix.EINVAL:
		return fmt.Errorf("this kernel has no seccomp filters (%w): use one with CONFIG_SECCOMP_FILTER", errno)
	case errno != 0:
		return fmt.Errorf("the kernel does not take the seccomp filter (%w): if systemd or a container filters system calls, let seccomp through", errno)
	case thread != 0:
		return fmt.Errorf("thread %d has a seccomp filter of its own, so the filter can't cover it: find out what in the program set it", thread)
	}
	return nil
}
