package udpio

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// vector is the memory that recvmmsg and sendmmsg work on, made and linked once.
// Element i of each slice belongs to message i of a call; the Writer lets one
// message have several iovs in a row, see startAt.
type vector struct {
	hdrs     []unix.Mmsghdr
	iovs     []unix.Iovec
	names    []sockaddr
	controls [][]byte
}

func newVector(messages int) vector {
	n := max(messages, 1)
	v := vector{
		hdrs:     make([]unix.Mmsghdr, n),
		iovs:     make([]unix.Iovec, n),
		names:    make([]sockaddr, n),
		controls: newControls(n, controlSpace()),
	}
	for i := range v.hdrs {
		h := &v.hdrs[i].Hdr
		h.Name = (*byte)(unsafe.Pointer(&v.names[i]))
		h.Iov = &v.iovs[i]
		h.SetIovlen(1)
		h.Control = &v.controls[i][0]
	}
	return v
}

// newControls makes n buffers of size bytes, each aligned for a Cmsghdr.
func newControls(n, size int) [][]byte {
	const word = int(unsafe.Sizeof(uint64(0)))
	words := (size + word - 1) / word
	memory := make([]uint64, n*words)
	controls := make([][]byte, n)
	for i := range controls {
		controls[i] = unsafe.Slice((*byte)(unsafe.Pointer(&memory[i*words])), words*word)
	}
	return controls
}

// startAt makes message i begin, and for now end, with buffer iov.
func (v *vector) startAt(i, iov int) {
	v.hdrs[i].Hdr.Iov = &v.iovs[iov]
	v.hdrs[i].Hdr.SetIovlen(1)
}

// setBuf points buffer i at b, which may be empty.
func (v *vector) setBuf(i int, b []byte) {
	v.iovs[i].Base = unsafe.SliceData(b)
	v.iovs[i].SetLen(len(b))
}

// wipe takes out the addresses and control messages of the last call, and lets
// go of its buffers. The next call sets all of that anew.
func (v *vector) wipe() {
	clear(v.names)
	clear(v.iovs)
	for _, c := range v.controls {
		clear(c)
	}
}

func recvmmsg(fd int, hdrs []unix.Mmsghdr) (int, syscall.Errno) {
	return mmsg(unix.SYS_RECVMMSG, fd, hdrs)
}

func sendmmsg(fd int, hdrs []unix.Mmsghdr) (int, syscall.Errno) {
	return mmsg(unix.SYS_SENDMMSG, fd, hdrs)
}

// mmsg makes either call, without waiting, so the scheduler need not know of it: told of
// a call, it wakes its monitor thread if that sleeps, which on a processor with little to
// do is for each datagram. recvmmsg's time-out is the sixth
// argument and stays nil: it does not work as one would hope, see recvmmsg(2).
func mmsg(trap uintptr, fd int, hdrs []unix.Mmsghdr) (int, syscall.Errno) {
	n, _, errno := unix.RawSyscall6(trap, uintptr(fd),
		uintptr(unsafe.Pointer(unsafe.SliceData(hdrs))), uintptr(len(hdrs)), unix.MSG_DONTWAIT, 0, 0)
	if errno != 0 {
		return 0, errno
	}
	return int(n), 0
}
