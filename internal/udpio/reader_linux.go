package udpio

import (
	"os"
	"runtime"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Reader reads a Conn. It is for one goroutine.
type Reader struct {
	conn    *Conn
	vector  vector
	attempt func(epoll uintptr) bool // tryReceive, bound once
	busy    time.Duration            // see BusyPoll

	// The call under way.
	pending  []unix.Mmsghdr
	received int
	waited   bool
	errno    syscall.Errno
}

// NewReader makes a Reader that takes up to so many messages per system call.
func (c *Conn) NewReader(messages int) *Reader {
	r := &Reader{conn: c, vector: newVector(messages)}
	r.attempt = r.tryReceive
	return r
}

// ReadBatch waits for at least one message and returns how many of ms, from the
// start, it filled in: N, SegSize, ECN and Path. Every Buf must have
// MaxBatchBytes, as NewBatch makes them. It returns [net.ErrClosed] once the
// Conn is closed and [os.ErrDeadlineExceeded] after the read deadline; any other
// error is about this call only.
func (r *Reader) ReadBatch(ms []Message) (int, error) {
	ms = ms[:min(len(ms), len(r.vector.hdrs))]
	if err := r.arm(ms); err != nil {
		return 0, err
	}
	r.pending, r.received, r.waited, r.errno = r.vector.hdrs[:len(ms)], 0, false, unix.EAGAIN
	for r.errno == unix.EAGAIN {
		if err := r.conn.arrivals.try(r.attempt); err != nil {
			return 0, err
		}
	}
	if r.errno != 0 {
		return 0, os.NewSyscallError("recvmmsg", r.errno)
	}
	for i := range r.received {
		r.take(i, &ms[i])
	}
	return r.received, nil
}

// Waited tells whether the last ReadBatch found nothing at first.
func (r *Reader) Waited() bool { return r.waited }

// Wipe takes the addresses of the last call from the Reader's memory. What was
// read is the caller's.
func (r *Reader) Wipe() { r.vector.wipe() }

// arm points the vector at the buffers and undoes what the last call wrote.
func (r *Reader) arm(ms []Message) error {
	if len(ms) == 0 {
		return ErrShortBuffer
	}
	for i := range ms {
		if len(ms[i].Buf) < MaxBatchBytes {
			return ErrShortBuffer
		}
		r.vector.setBuf(i, ms[i].Buf)
		h := &r.vector.hdrs[i].Hdr
		h.Namelen = unix.SizeofSockaddrInet6
		h.SetControllen(len(r.vector.controls[i]))
	}
	return nil
}

// tryReceive reports whether the call is over; if not, it is called again when
// the socket is readable.
func (r *Reader) tryReceive(epoll uintptr) bool {
	r.receive()
	if r.errno == unix.EAGAIN {
		r.waited = true
		r.poll()
	}
	if r.errno == unix.EAGAIN {
		if r.errno = r.conn.arrivals.await(epoll, r.conn.fd); r.errno == 0 {
			return false
		}
	}
	r.conn.arrivals.done(epoll, r.conn.fd)
	return true
}

// BusyPoll makes ReadBatch look for datagrams again and again for so long before it
// waits for them, which takes all of a processor and saves the time of being woken.
// Other goroutines have their turn between two looks; a deadline or Close is noticed at the
// end. Zero, the default, waits at once.
func (r *Reader) BusyPoll(d time.Duration) { r.busy = d }

// poll looks for datagrams until there are some, or r.busy is over.
func (r *Reader) poll() {
	if r.busy == 0 {
		return
	}
	for began := time.Now(); r.errno == unix.EAGAIN && time.Since(began) < r.busy; {
		runtime.Gosched()
		r.receive()
	}
}

func (r *Reader) receive() {
	r.received, r.errno = recvmmsg(r.conn.fd, r.pending)
	for r.errno == unix.EINTR {
		r.received, r.errno = recvmmsg(r.conn.fd, r.pending)
	}
}

// take fills in m from what the kernel wrote about message i.
func (r *Reader) take(i int, m *Message) {
	h := &r.vector.hdrs[i]
	m.N, m.SegSize = int(h.Len), int(h.Len)
	m.ECN = 0
	m.Path = Path{Remote: r.vector.names[i].addr()}
	readControl(r.vector.controls[i][:h.Hdr.Controllen], m)
}
