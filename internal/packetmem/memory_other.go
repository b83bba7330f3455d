//go:build !linux

package packetmem

import (
	"errors"
	"fmt"
)

const onLinux = "run the relay on Linux"

func mapMemory(size int) ([]byte, error) { return make([]byte, size), nil }

func unmapMemory([]byte) error { return nil }

func lock([]byte) error {
	return &Lack{fmt.Errorf("the packet buffers can be swapped out: locking them is %w on this system", errors.ErrUnsupported), onLinux}
}

func stillLocked([]byte) error { return nil } // they never were

func undump([]byte) error {
	return &Lack{fmt.Errorf("core dumps would hold the packet buffers: excluding them is %w on this system", errors.ErrUnsupported), onLinux}
}
