package observe

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/elastic/go-seccomp-bpf/arch"
	"golang.org/x/sys/unix"
)

// trace is an instance of the kernel's tracer, of our own, that records the system calls of some processes.
type trace struct {
	mount *os.File // tracefs, mounted nowhere: it goes away with this file
	dir   string
}

// traceBuffer is the room for records, in KiB for each processor: some 40,000 calls.
const traceBuffer = "8192"

// startTrace begins to record the calls of a group, and of what it starts.
func startTrace(g *Group, info *arch.Info) (*trace, error) {
	threads := threadsOf(g.PIDs())
	if len(threads) == 0 { // to the kernel no threads are all of the machine
		return nil, fmt.Errorf("process %d has ended", g.pid)
	}
	mount, err := mountTracefs()
	if err != nil {
		return nil, err
	}
	t := &trace{mount: mount, dir: fmt.Sprintf("/proc/self/fd/%d/instances/lethe-%d-%d", mount.Fd(), os.Getpid(), g.pid)}
	if err := os.Mkdir(t.dir, 0o700); err != nil {
		return nil, errors.Join(err, mount.Close())
	}
	var quiet []string
	for _, name := range busyCalls() {
		if nr, ok := info.SyscallNames[name]; ok {
			quiet = append(quiet, fmt.Sprintf("id != %d", nr))
		}
	}
	filter := strings.Join(quiet, " && ")
	for _, s := range [][2]string{
		{"buffer_size_kb", traceBuffer},
		{"options/event-fork", "1"},
		{"set_event_pid", strings.Join(threads, " ")},
		{"events/raw_syscalls/sys_enter/filter", filter},
		{"events/raw_syscalls/sys_exit/filter", filter},
		{"events/raw_syscalls/enable", "1"},
	} {
		if err := os.WriteFile(filepath.Join(t.dir, s[0]), []byte(s[1]), 0); err != nil {
			return nil, errors.Join(fmt.Errorf("%s: %w", s[0], err), t.close())
		}
	}
	return t, nil
}

// mountTracefs makes tracefs reachable for this process alone.
func mountTracefs() (*os.File, error) {
	fs, err := unix.Fsopen("tracefs", unix.FSOPEN_CLOEXEC)
	if err != nil {
		return nil, err
	}
	defer unix.Close(fs)
	if err := unix.FsconfigCreate(fs); err != nil {
		return nil, err
	}
	mount, err := unix.Fsmount(fs, unix.FSMOUNT_CLOEXEC, unix.MOUNT_ATTR_NOEXEC|unix.MOUNT_ATTR_NOSUID)
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(mount), "tracefs"), nil
}

func threadsOf(pids []int) (threads []string) {
	for _, pid := range pids {
		entries, _ := os.ReadDir(proc(pid, "task"))
		for _, e := range entries {
			threads = append(threads, e.Name())
		}
	}
	return threads
}

// end stops recording and returns what was recorded, and how many records were lost.
func (t *trace) end() (text string, lost uint64, err error) {
	errs := []error{os.WriteFile(filepath.Join(t.dir, "events/raw_syscalls/enable"), []byte("0"), 0)}
	data, err := os.ReadFile(filepath.Join(t.dir, "trace"))
	errs = append(errs, err)
	stats, _ := filepath.Glob(filepath.Join(t.dir, "per_cpu/cpu*/stats"))
	for _, path := range stats {
		data, _ := os.ReadFile(path)
		lost += sumOf(data, "overrun: ") // "commit overrun" too
	}
	errs = append(errs, t.close())
	return string(data), lost, errors.Join(slices.DeleteFunc(errs, func(e error) bool { return e == nil })...)
}

func (t *trace) close() error { return errors.Join(t.remove(), t.mount.Close()) }

// remove tries again while the kernel is still at work on what was traced.
func (t *trace) remove() error {
	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	for range 200 {
		if err := os.Remove(t.dir); !errors.Is(err, unix.EBUSY) {
			return err
		}
		<-again.C
	}
	return os.Remove(t.dir)
}
