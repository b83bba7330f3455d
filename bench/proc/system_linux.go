package proc

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

func ownGroup() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// CPUTime is the processor time that a process has used so far, in user and kernel mode.
func CPUTime(pid int) (time.Duration, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	return parseStat(stat)
}

// Resident is how many bytes of memory a process has in use.
func Resident(pid int) (int64, error) {
	statm, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		return 0, err
	}
	var size, resident int64
	if _, err := fmt.Sscan(string(statm), &size, &resident); err != nil {
		return 0, fmt.Errorf("/proc/PID/statm is not as proc(5) says: %w", err)
	}
	return resident * int64(os.Getpagesize()), nil
}

// RealTime has all threads of a process run as soon as they have something to do,
// before all of other programs, if the system permits: granted tells. They are SCHED_RR,
// whose threads take turns should one never wait. Those that they start become so, too;
// one that is started meanwhile is found in the second round.
func RealTime(pid int) (granted bool, err error) {
	turns := &unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_RR, Priority: 1}
	for range 2 {
		threads, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
		if err != nil {
			return false, err
		}
		for _, thread := range threads {
			tid, err := strconv.Atoi(thread.Name())
			if err != nil {
				return false, err
			}
			switch err := unix.SchedSetAttr(tid, turns, 0); {
			case errors.Is(err, unix.EPERM):
				return false, nil
			case err != nil && !errors.Is(err, unix.ESRCH): // it has ended
				return false, os.NewSyscallError("sched_setattr", err)
			}
		}
	}
	return true, nil
}

func freeze(p *os.Process) error { return p.Signal(syscall.SIGSTOP) }

// CPUs returns the processors that this process may use.
func CPUs() ([]int, error) {
	var set unix.CPUSet
	if err := unix.SchedGetaffinity(0, &set); err != nil {
		return nil, os.NewSyscallError("sched_getaffinity", err)
	}
	var cpus []int
	for cpu := range len(set) * 64 {
		if set.IsSet(cpu) {
			cpus = append(cpus, cpu)
		}
	}
	return cpus, nil
}

// StartOn calls start on a thread that may only use cpus; nil stands for all. A
// process that start starts inherits that for all of its threads; set from
// outside, it would hold for one.
func StartOn(cpus []int, start func() error) error {
	if cpus == nil {
		return start()
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var before, during unix.CPUSet
	if err := unix.SchedGetaffinity(0, &before); err != nil {
		return os.NewSyscallError("sched_getaffinity", err)
	}
	for _, cpu := range cpus {
		during.Set(cpu)
	}
	if err := unix.SchedSetaffinity(0, &during); err != nil {
		return os.NewSyscallError("sched_setaffinity", err)
	}
	defer unix.SchedSetaffinity(0, &before)
	return start()
}
