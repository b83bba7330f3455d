package packetmem

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// flagsOf returns the VmFlags (proc_pid_smaps(5)) of the mapping that b lies
// in, or nil if there is none.
func flagsOf(t *testing.T, b []byte) []string {
	t.Helper()
	f, err := os.Open("/proc/self/smaps")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	at, inside := uintptr(unsafe.Pointer(unsafe.SliceData(b))), false
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var from, to uintptr
		if n, _ := fmt.Sscanf(lines.Text(), "%x-%x ", &from, &to); n == 2 {
			inside = from <= at && at < to
		}
		if flags, ok := strings.CutPrefix(lines.Text(), "VmFlags:"); ok && inside {
			return strings.Fields(flags)
		}
	}
	return nil
}

func has(flags []string, flag string) bool {
	for _, f := range flags {
		if f == flag {
			return true
		}
	}
	return false
}

// TestControlsInForce asks the kernel what it has noted about the mapping: lo
// is locked, dd left out of dumps, dc not copied on fork.
func TestControlsInForce(t *testing.T) {
	m := newMemory(t, 3*os.Getpagesize())
	if err := errors.Join(m.Locked(), m.Undumped()); err != nil {
		t.Fatal(err)
	}
	b := take(t, m, 1)
	flags := flagsOf(t, b)
	for _, flag := range []string{"lo", "dd", "dc"} {
		if !has(flags, flag) {
			t.Errorf("the mapping has the flags %v, and not %s", flags, flag)
		}
	}
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
	if flags := flagsOf(t, b); has(flags, "dd") {
		t.Errorf("there is still a mapping after Close, with the flags %v", flags)
	}
}

// TestUnusedPagesCostNothing: a lock takes hold of a page when it is first used.
func TestUnusedPagesCostNothing(t *testing.T) {
	const pages = 64
	m := newMemory(t, pages*os.Getpagesize())
	b := take(t, m, m.Bytes())
	b[0] = 1
	resident := make([]byte, pages)
	if _, _, errno := unix.Syscall(unix.SYS_MINCORE, uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)), uintptr(unsafe.Pointer(&resident[0]))); errno != 0 {
		t.Fatal(errno)
	}
	n := 0
	for _, page := range resident {
		n += int(page & 1)
	}
	if n == 0 || n == pages {
		t.Errorf("%d of %d pages are resident after one was used", n, pages)
	}
}

// TestUnlockedIsSeen: memory that is unlocked behind our back is not called locked,
// and being asked does not touch what lies in it.
func TestUnlockedIsSeen(t *testing.T) {
	m := newMemory(t, 2*os.Getpagesize())
	b := take(t, m, m.Bytes())
	b[0], b[len(b)-1] = 1, 2
	if err := m.Locked(); err != nil {
		t.Fatal(err)
	}
	if err := unix.Munlock(m.all); err != nil {
		t.Fatal(err)
	}
	var lack *Lack
	if err := m.Locked(); !errors.As(err, &lack) || lack.Mend == "" || !strings.Contains(lack.Cause.Error(), "can be swapped out") {
		t.Errorf("Locked() = %v after it was unlocked", err)
	}
	if b[0] != 1 || b[len(b)-1] != 2 {
		t.Error("being asked has dropped what lay in the memory")
	}
}

const childVariable = "PACKETMEM_TEST_CHILD"

// TestLockRefused is run by an unprivileged user who may lock nothing: there is
// memory, and a sentence that says what to do.
func TestLockRefused(t *testing.T) {
	if os.Getenv(childVariable) != "" {
		lockNothing(t)
		return
	}
	// The file itself, since the folder it lies in may be root's alone.
	child := exec.Command("/proc/self/exe", "-test.run=^TestLockRefused$", "-test.v")
	child.Env = append(os.Environ(), childVariable+"=1")
	if os.Getuid() == 0 {
		const nobody = 65534
		child.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	}
	out, err := child.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "PASS") {
		t.Fatalf("%v:\n%s", err, out)
	}
}

func lockNothing(t *testing.T) {
	if err := unix.Setrlimit(unix.RLIMIT_MEMLOCK, &unix.Rlimit{}); err != nil {
		t.Fatal(err)
	}
	m := newMemory(t, 1<<20)
	b := take(t, m, 1)
	b[0] = 1
	if has(flagsOf(t, b), "lo") {
		t.Error("the memory is locked: the test shows nothing")
	}
	err := m.Locked()
	if !errors.Is(err, unix.EPERM) && !errors.Is(err, unix.ENOMEM) {
		t.Fatalf("Locked() = %v, want EPERM or ENOMEM", err)
	}
	for _, part := range []string{"can be swapped out", fmt.Sprintf("%d KiB", (1<<20+os.Getpagesize())>>10), "LimitMEMLOCK", "CAP_IPC_LOCK"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q does not say %q", err, part)
		}
	}
	if err := m.Undumped(); err != nil {
		t.Error(err)
	}
}
