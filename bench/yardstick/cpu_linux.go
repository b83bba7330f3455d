package yardstick

import (
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// threadCPU is the CPU time that this thread has used so far.
func threadCPU() (time.Duration, error) {
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &now); err != nil {
		return 0, os.NewSyscallError("clock_gettime", err)
	}
	return time.Duration(now.Nano()), nil
}
