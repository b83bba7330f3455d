//go:build !linux

package packetmem

import (
	"errors"
	"fmt"
)

func mapMemory(size int) ([]byte, error) { return make([]byte, size), nil }

func unmapMemory([]byte) error { return nil }

func lock([]byte) error {
	return fmt.Errorf("the packet buffers can be swapped out: locking them is %w on this system: run the relay on Linux", errors.ErrUnsupported)
}

func undump([]byte) error {
	return fmt.Errorf("core dumps would hold the packet buffers: excluding them is %w on this system: run the relay on Linux", errors.ErrUnsupported)
}
