package udpio

import (
	"errors"
	"net"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// An event is something about a socket that a goroutine can wait for: that it has
// datagrams, or that it has room for some. It is an epoll instance that is in the
// runtime's poller for good, while the socket is in it only when there is
// somebody who waits:
//
//	socket ┄┄ arrivals (EPOLLIN)  ──┬─▶ the runtime's poller ──▶ goroutine
//	       ┄┄ room     (EPOLLOUT) ──┘
//
// The runtime would put the socket into its poller itself, for both and for good. Then
// the kernel goes through the poller for each datagram that comes and for each that
// has left, and while a thread waits there, as one does unless all processors are
// busy, it wakes that thread each time. A loop that always finds datagrams needs none of it.
type event struct {
	// static
	file   *os.File        // the epoll instance
	raw    syscall.RawConn // of file
	events uint32

	// guarded by try
	watched bool // the socket is in the instance
	found   int  // calls in a row that did not wait, while it was
}

// enough is how many calls in a row have to find what they want before the socket is taken
// out: so an idle one, where each call waits, stays in, and pays nothing for this.
const enough = 4

func newEvent(events uint32) (*event, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("epoll_create1", err)
	}
	if err := unix.SetNonblock(fd, true); err != nil { // or the runtime does not poll it
		return nil, errors.Join(os.NewSyscallError("fcntl", err), unix.Close(fd))
	}
	e := &event{file: os.NewFile(uintptr(fd), "epoll"), events: events}
	e.raw, err = e.file.SyscallConn()
	return e, err
}

// try calls attempt until it returns true, and after each false waits for the event.
// attempt gets the epoll instance. One goroutine at a time is in it, others wait. The
// error is one of the two that callers test for.
func (e *event) try(attempt func(epoll uintptr) bool) error { return ended(e.raw.Read(attempt)) }

// hold calls f with the epoll instance, while the socket can't be closed.
func (e *event) hold(f func(epoll uintptr)) error { return ended(e.raw.Control(f)) }

// ended tells in the words of this package why the runtime's poller did not wait:
// there are only two reasons.
func ended(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, os.ErrDeadlineExceeded):
		return os.ErrDeadlineExceeded
	}
	return net.ErrClosed
}

// await has the socket wake who waits for the event. It is called by an attempt that
// is about to return false.
func (e *event) await(epoll uintptr, socket int) syscall.Errno {
	e.found = 0
	if e.watched {
		return 0
	}
	if unix.EpollCtl(int(epoll), unix.EPOLL_CTL_ADD, socket, &unix.EpollEvent{Events: e.events}) != nil {
		return unix.ENOBUFS // the kernel has no memory, or the user too many watches
	}
	e.watched = true
	return 0
}

// done takes that back when it is of no use. It is called by an attempt that is about
// to return true.
func (e *event) done(epoll uintptr, socket int) {
	if !e.watched {
		return
	}
	if e.found++; e.found <= enough {
		return
	}
	if unix.EpollCtl(int(epoll), unix.EPOLL_CTL_DEL, socket, nil) == nil {
		e.watched = false
	}
}

// access is the socket for those who set options on it. There is nothing to wait
// for with it: that is what Reader and Writer are for.
type access struct{ s *socket }

func (s *socket) access() (syscall.RawConn, error) { return access{s}, nil }

func (a access) Control(f func(fd uintptr)) error {
	return a.s.arrivals.hold(func(uintptr) { f(uintptr(a.s.fd)) })
}

func (a access) Read(func(fd uintptr) bool) error { return errors.ErrUnsupported }

func (a access) Write(func(fd uintptr) bool) error { return errors.ErrUnsupported }
