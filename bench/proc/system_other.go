//go:build !linux

package proc

import (
	"errors"
	"syscall"
	"time"
)

var errLinuxOnly = errors.New("CPU time and pinning are read and set as Linux does it: run the benchmarks on Linux")

func ownGroup() *syscall.SysProcAttr { return nil }

func cpuTime(int) (time.Duration, error) { return 0, errLinuxOnly }

// CPUs returns the processors that this process may use.
func CPUs() ([]int, error) { return nil, errLinuxOnly }

func startOn([]int, func() error) error { return errLinuxOnly }
