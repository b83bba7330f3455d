package lockdown

import (
	"encoding/binary"
	"slices"
	"testing"

	"github.com/elastic/go-seccomp-bpf"
	"github.com/elastic/go-seccomp-bpf/arch"
	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

const ownPID = 4711

func machines() []*arch.Info { return []*arch.Info{arch.X86_64, arch.AARCH64, arch.ARM} }

// decide runs a filter's program for one call.
func decide(t *testing.T, program []bpf.Instruction, machine arch.AuditArch, number int, args []uint64) uint32 {
	t.Helper()
	vm, err := bpf.NewVM(program)
	if err != nil {
		t.Fatal(err)
	}
	data := binary.BigEndian.AppendUint32(nil, uint32(number)) // the VM reads network packets
	data = binary.BigEndian.AppendUint32(data, uint32(machine))
	data = binary.BigEndian.AppendUint64(data, 0)
	args = append(args, make([]uint64, 6-len(args))...)
	for _, a := range args {
		data = binary.BigEndian.AppendUint32(data, uint32(a)) // lower half first, as on the machines it is for
		data = binary.BigEndian.AppendUint32(data, uint32(a>>32))
	}
	action, err := vm.Run(data)
	if err != nil {
		t.Fatal(err)
	}
	return uint32(action)
}

func errnoAction(errno unix.Errno) uint32 { return unix.SECCOMP_RET_ERRNO | uint32(errno) }

// What the filter says to single calls, on every machine that it is for.
func TestFilter(t *testing.T) {
	const allowed = uint32(unix.SECCOMP_RET_ALLOW)
	denied, absent := errnoAction(unix.EPERM), errnoAction(unix.ENOSYS)
	thread := uint64(0x3d0f00) // what pthread_create gives
	private, shared := uint64(unix.MAP_PRIVATE|unix.MAP_ANONYMOUS), uint64(unix.MAP_SHARED|unix.MAP_ANONYMOUS)
	network := Needs{ConnectPorts: []uint16{443}}
	for _, c := range []struct {
		call  string
		args  []uint64
		needs Needs
		want  uint32
	}{
		{"sendmmsg", nil, Needs{}, allowed},
		{"sendmmsg", []uint64{3, 0, 1, unix.MSG_DONTWAIT}, Needs{}, allowed},
		{"sendmmsg", []uint64{3, 0, 1, unix.MSG_DONTWAIT | unix.MSG_FASTOPEN}, network, denied},
		{"sendmsg", []uint64{3, 0, unix.MSG_NOSIGNAL | unix.MSG_DONTWAIT}, Needs{}, allowed},
		{"sendmsg", []uint64{3, 0, unix.MSG_NOSIGNAL | unix.MSG_FASTOPEN}, network, denied},
		{"sendto", []uint64{3, 0, unix.MSG_FASTOPEN, unix.MSG_NOSIGNAL}, Needs{}, allowed}, // that is the length
		{"sendto", []uint64{3, 0, 1, unix.MSG_FASTOPEN}, network, denied},
		{"madvise", []uint64{0, 4096, unix.MADV_DONTNEED}, Needs{}, allowed},
		{"madvise", []uint64{0, 4096, unix.MADV_DONTDUMP}, Needs{}, allowed},
		{"madvise", []uint64{0, 4096, unix.MADV_DODUMP}, network, denied},
		{"madvise", []uint64{0, 4096, unix.MADV_DOFORK}, network, denied},
		{"madvise", []uint64{0, 4096, unix.MADV_MERGEABLE}, network, denied},
		{"write", []uint64{2}, Needs{}, allowed},
		{"clone", []uint64{thread}, Needs{}, allowed},
		{"clone", []uint64{0x50f00 | unix.CLONE_SYSVSEM}, Needs{}, allowed}, // Go's
		{"clone", []uint64{uint64(unix.SIGCHLD)}, Needs{}, denied},
		{"clone", []uint64{unix.CLONE_VM | unix.CLONE_VFORK | uint64(unix.SIGCHLD)}, Needs{}, denied},
		{"clone", []uint64{thread | unix.CLONE_NEWUSER}, Needs{}, denied},
		{"clone3", nil, Needs{}, absent},
		{"openat2", nil, network, absent},
		{"io_uring_setup", nil, Needs{}, absent},
		{"execve", nil, network, denied},
		{"mprotect", []uint64{0, 4096, unix.PROT_READ | unix.PROT_WRITE}, Needs{}, allowed},
		{"mprotect", []uint64{0, 4096, unix.PROT_READ | unix.PROT_EXEC}, Needs{}, denied},
		{"openat", []uint64{0, 0, openDir}, Needs{}, allowed},
		{"openat", []uint64{0, 0, unix.O_RDONLY}, Needs{}, denied},
		{"openat", []uint64{0, 0, unix.O_RDONLY}, network, allowed},
		{"openat", []uint64{0, 0, unix.O_WRONLY}, network, denied},
		{"openat", []uint64{0, 0, unix.O_RDWR}, network, denied},
		{"openat", []uint64{0, 0, unix.O_RDONLY | unix.O_CREAT}, network, denied},
		{"openat", []uint64{0, 0, unix.O_RDONLY | unix.O_TRUNC}, network, denied},
		{"openat", []uint64{0, 0, unix.O_TMPFILE | unix.O_RDWR}, network, denied},
		{"openat", []uint64{0, 0, unix.O_TMPFILE}, network, denied},
		{"tgkill", []uint64{ownPID, 1}, Needs{}, allowed},
		{"tgkill", []uint64{1, 1}, Needs{}, denied},
		{"kill", []uint64{ownPID}, Needs{}, denied},
		{"socket", []uint64{unix.AF_INET, unix.SOCK_STREAM, 0}, Needs{}, denied},
		{"socket", []uint64{unix.AF_INET, unix.SOCK_STREAM | unix.SOCK_CLOEXEC, 0}, network, allowed},
		{"socket", []uint64{unix.AF_INET, unix.SOCK_STREAM, unix.IPPROTO_MPTCP}, network, denied},
		{"socket", []uint64{unix.AF_INET6, unix.SOCK_RAW, 0}, network, denied},
		{"socket", []uint64{unix.AF_UNIX, unix.SOCK_STREAM, 0}, network, denied},
		{"connect", nil, Needs{}, denied},
		{"connect", nil, network, allowed},
		{"bind", nil, network, denied},
		{"listen", nil, network, denied},
		{"prctl", []uint64{unix.PR_SET_DUMPABLE, 1}, Needs{}, denied},
		{"prctl", []uint64{unix.PR_GET_DUMPABLE}, Needs{}, allowed},
		{"prctl", []uint64{unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_RAISE}, Needs{}, denied},
		{"prlimit64", []uint64{0, unix.RLIMIT_FSIZE, 0, 0x7fff_0000_0000}, Needs{}, allowed},
		{"prlimit64", []uint64{0, unix.RLIMIT_FSIZE, 0x7fff_0000_0000, 0}, Needs{}, denied}, // upper half only
		{"prlimit64", []uint64{0, unix.RLIMIT_FSIZE, 0x1000, 0}, Needs{}, denied},
		{"fcntl", []uint64{0, unix.F_GETFL}, Needs{}, allowed},
		{"fcntl", []uint64{0, unix.F_ADD_SEALS}, Needs{}, denied},
		{"munlockall", nil, Needs{}, denied},
		{"ptrace", nil, network, denied},
		{"mount", nil, network, denied},
		{"mmap", []uint64{0, 4096, unix.PROT_READ | unix.PROT_WRITE, private}, Needs{}, allowed},
		{"mmap", []uint64{0, 4096, unix.PROT_NONE, private | unix.MAP_NORESERVE}, Needs{}, allowed},
		{"mmap", []uint64{0, 4096, unix.PROT_READ | unix.PROT_WRITE | unix.PROT_EXEC, private}, Needs{}, denied},
		{"mmap", []uint64{0, 4096, unix.PROT_READ, shared}, Needs{}, denied},
		{"mmap", []uint64{0, 4096, unix.PROT_READ, unix.MAP_PRIVATE}, network, denied}, // a file
	} {
		for _, m := range machines() {
			call := c.call
			if _, has := m.SyscallNames[call]; !has && call == "mmap" {
				call = "mmap2"
			}
			program := assemble(m, calls(c.needs, ownPID))
			if got := decide(t, program, m.ID, m.SyscallNames[call], c.args); got != c.want {
				t.Errorf("%s: %s(%#x) with %+v gives %#x, not %#x", m.Name, call, c.args, c.needs, got, c.want)
			}
		}
	}
}

// Calls of other machines' tables and ones that came after the table are no way around the filter.
func TestFilterStrangers(t *testing.T) {
	for _, m := range machines() {
		program := assemble(m, calls(Needs{}, ownPID))
		write := m.SyscallNames["write"]
		if got := decide(t, program, arch.I386.ID, write, nil); got != errnoAction(unix.EPERM) {
			t.Errorf("%s: a call by another table gives %#x", m.Name, got)
		}
		for _, number := range []int{write | x32, int(newest(m)) + 1, 100_000} {
			if got := decide(t, program, m.ID, number, nil); got != errnoAction(unix.ENOSYS) {
				t.Errorf("%s: call %d gives %#x", m.Name, number, got)
			}
		}
	}
}

// Whatever is not in the list is refused, and a misspelt name in the list is found.
func TestFilterIsList(t *testing.T) {
	rules := calls(Needs{ReadDirs: []string{"x"}, ConnectPorts: []uint16{1}}, ownPID)
	var listed []string
	for _, r := range rules {
		listed = append(listed, r.call)
		known := slices.ContainsFunc(machines(), func(m *arch.Info) bool { _, has := m.SyscallNames[r.call]; return has })
		if !known {
			t.Errorf("no machine has the call %s", r.call)
		}
	}
	for _, m := range machines() {
		program := assemble(m, rules)
		if len(program) > 4096 {
			t.Errorf("%s: %d instructions", m.Name, len(program))
		}
		for name, number := range m.SyscallNames {
			if slices.Contains(listed, name) || number == m.SyscallNames["arm_fadvise64_64"] && name == "" {
				continue
			}
			if got := decide(t, program, m.ID, number, nil); got&unix.SECCOMP_RET_ACTION_FULL == unix.SECCOMP_RET_ALLOW {
				t.Errorf("%s: %s is allowed and not in the list", m.Name, name)
			}
		}
	}
	for i := 0; i < len(rules); {
		n := i + 1
		for n < len(rules) && rules[n].call == rules[i].call {
			n++
		}
		if slices.ContainsFunc(rules[n:], func(r rule) bool { return r.call == rules[i].call }) {
			t.Errorf("the rules of %s do not stand together", rules[i].call)
		}
		if size := len(block(rules[i:n])); size > 255 {
			t.Errorf("%s: a block of %d instructions", rules[i].call, size)
		}
		i = n
	}
}

// Why policies of the library are not used. If this fails, the library compares the call again after an argument
// that did not hold, and assemble may go.
func TestLibraryPolicyConfusesArguments(t *testing.T) {
	policy := seccomp.Policy{DefaultAction: seccomp.ActionErrno, Syscalls: []seccomp.SyscallGroup{
		{Action: seccomp.ActionAllow, NamesWithCondtions: []seccomp.NameWithConditions{
			{Name: "mmap", Conditions: seccomp.ArgumentConditions{{Argument: 2, Operation: seccomp.LessThan, Value: unix.PROT_EXEC}}}}},
		{Action: seccomp.ActionAllow, Names: []string{"poll"}},
	}}
	program, err := policy.Assemble()
	if err != nil {
		t.Skipf("the library has no table for this machine: %v", err)
	}
	m, err := callTable()
	if err != nil || m != arch.X86_64 {
		t.Skip("the numbers are those of amd64")
	}
	writableAndExecutable := []uint64{0, 4096, unix.PROT_READ | unix.PROT_WRITE | unix.PROT_EXEC}
	if got := decide(t, program, m.ID, m.SyscallNames["mmap"], writableAndExecutable); got != unix.SECCOMP_RET_ALLOW {
		t.Errorf("the library's policy gives %#x", got)
	}
}
