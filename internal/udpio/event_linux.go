package udpio

import (
	"errors"
	"fmt"
	"net"
	"os"
	"sync/atomic"
	"syscall"
	"time"

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

	closed atomic.Bool

	// guarded by try
	watched bool // the socket is in the instance
	found   int  // calls in a row that did not wait, while it was
}

// enough is how many calls in a row have to find what they want before the socket is taken
// out: so an idle one, where each call waits, stays in, and pays nothing for this.
const enough = 4

// blindPause is how long a goroutine looks at the socket at a time when the kernel does
// not let it be watched. Closing the socket and deadlines wait as long for it.
const blindPause = 10 * time.Millisecond

func newEvent(events uint32) (*event, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("epoll_create1", err)
	}
	if err := unix.SetNonblock(fd, true); err != nil { // or the runtime does not poll it
		return nil, errors.Join(os.NewSyscallError("fcntl", err), unix.Close(fd))
	}
	file, err := polled(fd)
	if err != nil {
		return nil, err
	}
	e := &event{file: file, events: events}
	e.raw, err = file.SyscallConn()
	return e, err
}

// polled puts the descriptor into the runtime's poller. The runtime does not tell when
// that fails; a deadline, which works only there, does.
func polled(fd int) (*os.File, error) {
	file := os.NewFile(uintptr(fd), "epoll")
	if err := file.SetReadDeadline(time.Time{}); err != nil {
		return nil, errors.Join(fmt.Errorf("add to the runtime's poller: %w", err), file.Close())
	}
	return file, nil
}

// try calls attempt until it returns true, and after each false waits for the event.
// attempt gets the epoll instance. One goroutine at a time is in it, others wait.
func (e *event) try(attempt func(epoll uintptr) bool) error { return e.ended(e.raw.Read(attempt)) }

// hold calls f with the epoll instance, while the socket can't be closed.
func (e *event) hold(f func(epoll uintptr)) error { return e.ended(e.raw.Control(f)) }

func (e *event) setDeadline(t time.Time) error { return e.ended(e.file.SetReadDeadline(t)) }

// close ends all waiting, and returns when nobody is in try or hold.
func (e *event) close() error {
	e.closed.Store(true)
	return e.file.Close()
}

// ended turns the errors of the runtime's poller into the two that callers test for,
// and leaves others alone.
func (e *event) ended(err error) error {
	switch {
	case err == nil:
		return nil
	case e.closed.Load(): // what the runtime says then is an error without a name
		return net.ErrClosed
	case errors.Is(err, os.ErrDeadlineExceeded):
		return os.ErrDeadlineExceeded
	}
	return err
}

// await has the socket wake who waits for the event. It is called by an attempt that
// is about to return false. If the kernel has no memory for that, or the user too many
// watches, it waits itself for a moment; then it returns EAGAIN, and try is to be
// called again, which sees whether there is still something to wait for.
func (e *event) await(epoll uintptr, socket int) syscall.Errno {
	e.found = 0
	if e.watched {
		return 0
	}
	if unix.EpollCtl(int(epoll), unix.EPOLL_CTL_ADD, socket, &unix.EpollEvent{Events: e.events}) == nil {
		e.watched = true
		return 0
	}
	look := []unix.PollFd{{Fd: int32(socket), Events: int16(e.events)}} // of one descriptor, it takes no memory
	if _, err := unix.Poll(look, int(blindPause/time.Millisecond)); err != nil {
		time.Sleep(blindPause)
	}
	return unix.EAGAIN
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
