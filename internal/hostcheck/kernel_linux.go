package hostcheck

import (
	"errors"
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

// ThisKernel is the kernel that runs here.
type ThisKernel struct{}

// Landlock implements [Kernel].
func (ThisKernel) Landlock() (int, error) {
	abi, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, unix.LANDLOCK_CREATE_RULESET_VERSION)
	if errno != 0 {
		return 0, errno
	}
	return int(abi), nil
}

// Seccomp implements [Kernel].
func (ThisKernel) Seccomp() error {
	action := uint32(unix.SECCOMP_RET_ERRNO)
	_, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_GET_ACTION_AVAIL, 0, uintptr(unsafe.Pointer(&action)))
	if errno != 0 {
		return errno
	}
	return nil
}

// LockLimit implements [Kernel]. CAP_SYS_RESOURCE lifts the limit for good; what
// CAP_IPC_LOCK allows would end with it, when the relay gives it up.
func (ThisKernel) LockLimit() (bytes uint64, unlimited bool, err error) {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_MEMLOCK, &limit); err != nil {
		return 0, false, fmt.Errorf("ask for RLIMIT_MEMLOCK: %w", err)
	}
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var sets [2]unix.CapUserData
	if err := unix.Capget(&header, &sets[0]); err != nil {
		return 0, false, fmt.Errorf("ask for capabilities: %w", err)
	}
	mayRaise := sets[0].Effective&(1<<unix.CAP_SYS_RESOURCE) != 0
	return limit.Cur, mayRaise || limit.Cur == unix.RLIM_INFINITY, nil
}

// ClockSynchronised implements [Kernel].
func (ThisKernel) ClockSynchronised() (bool, error) {
	state, err := unix.Adjtimex(&unix.Timex{})
	if err != nil {
		return false, fmt.Errorf("ask for the state of the clock: %w", err)
	}
	if state < 0 {
		return false, errors.New("the kernel does not know the state of the clock")
	}
	return state != unix.TIME_ERROR, nil
}
