//go:build !linux

package proc

import (
	"errors"
	"os"
	"syscall"
	"time"
)

var errLinuxOnly = errors.New("CPU time and pinning are read and set as Linux does it: run the benchmarks on Linux")

func ownGroup() *syscall.SysProcAttr { return nil }

// RealTime fails: only Linux ranks threads in this way.
func RealTime(int) (granted bool, err error) { return false, errLinuxOnly }

func freeze(*os.Process) error { return errLinuxOnly }

// CPUTime fails: only Linux tells.
func CPUTime(int) (time.Duration, error) { return 0, errLinuxOnly }

// CPUs returns the processors that this process may use.
func CPUs() ([]int, error) { return nil, errLinuxOnly }

// Resident fails: only Linux tells.
func Resident(int) (int64, error) { return 0, errLinuxOnly }

// StartOn fails: only Linux pins.
func StartOn([]int, func() error) error { return errLinuxOnly }
