package packetmem

import (
	"errors"
	"fmt"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

func mapMemory(size int) ([]byte, error) {
	b, err := unix.Mmap(-1, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
	return b, os.NewSyscallError("mmap", err)
}

func unmapMemory(b []byte) error { return os.NewSyscallError("munmap", unix.Munmap(b)) }

// lock keeps pages in memory from their first use on. Kernels before 4.4 only
// know how to lock all of them at once.
func lock(b []byte) error {
	_, _, errno := unix.Syscall(unix.SYS_MLOCK2, uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)), unix.MLOCK_ONFAULT)
	var err error
	switch errno {
	case 0:
	case unix.ENOSYS:
		err = unix.Mlock(b)
	default:
		err = errno
	}
	if err == nil {
		return nil
	}
	return &Lack{
		fmt.Errorf("the packet buffers can be swapped out, since the kernel does not lock %d KiB of memory (%w)", len(b)>>10, err),
		"raise the limit (LimitMEMLOCK= of systemd, ulimit -l) to more than that, or give the program CAP_IPC_LOCK",
	}
}

// stillLocked has the kernel drop a page of no use, which it refuses for locked memory.
func stillLocked(page []byte) error {
	if err := unix.Madvise(page, unix.MADV_DONTNEED); !errors.Is(err, unix.EINVAL) {
		return &Lack{
			fmt.Errorf("the packet buffers can be swapped out, since the kernel has dropped a page of theirs, which it does not do with locked memory (it gave %v)", err),
			"find out who has unlocked it, and start the program again",
		}
	}
	return nil
}

// undump also keeps the memory from child processes, which the relay has none of.
func undump(b []byte) error {
	err := errors.Join(
		os.NewSyscallError("MADV_DONTDUMP", unix.Madvise(b, unix.MADV_DONTDUMP)),
		os.NewSyscallError("MADV_DONTFORK", unix.Madvise(b, unix.MADV_DONTFORK)),
	)
	if err == nil {
		return nil
	}
	return &Lack{
		fmt.Errorf("core dumps or child processes would hold the packet buffers (%w)", err),
		"run a kernel that has madvise (CONFIG_ADVISE_SYSCALLS), outside of a sandbox that denies it",
	}
}
