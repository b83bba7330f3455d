//go:build !linux

package hostcheck

import "errors"

var errNotLinux = errors.New("it is a matter of Linux")

// ThisKernel is the kernel that runs here, of which nothing is known.
type ThisKernel struct{}

// Landlock implements [Kernel].
func (ThisKernel) Landlock() (int, error) { return 0, errNotLinux }

// Seccomp implements [Kernel].
func (ThisKernel) Seccomp() error { return errNotLinux }

// LockLimit implements [Kernel].
func (ThisKernel) LockLimit() (uint64, bool, error) { return 0, false, errNotLinux }

// ClockSynchronised implements [Kernel].
func (ThisKernel) ClockSynchronised() (bool, error) { return false, errNotLinux }
