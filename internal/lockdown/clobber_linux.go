package lockdown

import (
	"encoding/binary"
	"errors"
	"fmt"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// clobbered is what the Go runtime overwrites freed memory with.
const clobbered = 0xdeadbeef

// tryClobbering frees memory and looks whether it was overwritten, which is a debugging aid of the Go runtime
// that another version need not have. Some of what is freed may be in use again when it is looked at, so of many pieces one is
// enough: nothing else writes this value.
func tryClobbering() error {
	addresses := make(chan []uintptr)
	go func() { addresses <- freed() }() // on a stack of its own, which is gone when the memory is looked for
	pieces := <-addresses
	runtime.GC()
	for _, at := range pieces {
		got, err := peek(at)
		if err != nil {
			return fmt.Errorf("freed memory can't be looked at: %w", err)
		}
		if got == clobbered {
			return nil
		}
	}
	return errors.New("memory was freed, and the Go runtime did not overwrite it")
}

// freed gives the addresses of memory that nothing refers to. They are numbers, which keep nothing alive.
func freed() (addresses []uintptr) {
	const pieces, size = 64, 512
	heap := make(chan []byte, 1) // what goes through a channel is on the heap
	for range pieces {
		heap <- make([]byte, size)
		addresses = append(addresses, uintptr(unsafe.Pointer(unsafe.SliceData(<-heap))))
	}
	return addresses
}

// peek reads four bytes by way of the kernel: the garbage collector must not meet a pointer to what it has freed.
func peek(at uintptr) (uint32, error) {
	var ends [2]int
	if err := unix.Pipe2(ends[:], unix.O_CLOEXEC); err != nil {
		return 0, err
	}
	defer unix.Close(ends[0])
	defer unix.Close(ends[1])
	var word [4]byte
	if _, _, errno := unix.Syscall(unix.SYS_WRITE, uintptr(ends[1]), at, uintptr(len(word))); errno != 0 {
		return 0, errno
	}
	_, err := unix.Read(ends[0], word[:])
	return binary.NativeEndian.Uint32(word[:]), err
}
