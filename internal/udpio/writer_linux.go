package udpio

// A batch is written in rounds:
//
//  1. layOut cuts messages into pieces that the kernel can take, joins pieces
//     that belong to one run of datagrams into one part, and describes the parts
//     in the vector.
//  2. push hands the parts over until all are gone or one is refused.
//  3. settle decides what a refusal means: the same bytes again, not joined or
//     as single datagrams, or a status for the message.
//
// The next round starts where that leaves off.

import (
	"errors"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// Writer writes to a Conn. It is for one goroutine.
type Writer struct {
	conn    *Conn
	vector  vector
	parts   []part                   // part i is described by element i of the vector
	attempt func(epoll uintptr) bool // trySend, bound once
	send    func(fd int, hdrs []unix.Mmsghdr) (int, syscall.Errno)

	// The call under way.
	pending []unix.Mmsghdr
	errno   syscall.Errno
}

// cursor is the place in a batch from which on nothing is sent yet.
type cursor struct {
	message int
	offset  int  // in bytes
	single  bool // send this message as single datagrams
	alone   bool // join nothing to this message
}

// part is a run of datagrams that goes to the kernel as one.
type part struct {
	at        cursor // where it begins
	pieces    int    // each is all or some of one message, and one Iovec
	datagrams int
	bytes     int
}

// NewWriter makes a Writer that hands up to so many messages to the kernel per
// system call.
func (c *Conn) NewWriter(messages int) *Writer {
	w := &Writer{conn: c, vector: newVector(messages), send: sendmmsg}
	w.parts = make([]part, len(w.vector.hdrs))
	w.attempt = w.trySend
	return w
}

// WriteBatch sends every message of ms and sets Status and Unsent of each. It
// waits while the send buffer is full. It returns an error only when the Conn is
// closed ([net.ErrClosed]) or the write deadline passed
// ([os.ErrDeadlineExceeded]); what was not sent by then is Failed or NoBuffer.
func (w *Writer) WriteBatch(ms []Message) error {
	for i := range ms {
		ms[i].Status, ms[i].Unsent = Sent, 0
	}
	for at := (cursor{}); at.message < len(ms); {
		laid, next := w.layOut(ms, at)
		sent, err := w.push(laid)
		if err != nil {
			abandon(ms, w.parts[sent].at, err)
			return err
		}
		if sent < laid {
			next = w.settle(ms, w.parts[sent])
		}
		at = next
	}
	return nil
}

// Wipe takes the addresses of the last call from the Writer's memory, and lets
// go of what it has sent.
func (w *Writer) Wipe() {
	w.vector.wipe()
	clear(w.parts)
}

// layOut fills the vector from at on. It returns how much of the vector is used
// and where the next round starts.
func (w *Writer) layOut(ms []Message, at cursor) (int, cursor) {
	gso := w.conn.gso.on()
	laid := 0
	for i := range w.parts {
		if at.message == len(ms) {
			break
		}
		m := &ms[at.message]
		size := partSize(m, at, gso)
		w.vector.setBuf(i, m.Buf[at.offset:at.offset+size])
		if gso && laid > 0 && w.parts[laid-1].extend(ms, at, size) {
			w.vector.hdrs[laid-1].Hdr.SetIovlen(w.parts[laid-1].pieces)
		} else {
			w.parts[laid] = part{at: at, pieces: 1, datagrams: m.datagramsIn(size), bytes: size}
			w.vector.startAt(laid, i)
			laid++
		}
		at = at.advance(m, size)
	}
	for i, p := range w.parts[:laid] {
		w.describe(i, &ms[p.at.message], p.datagrams > 1)
	}
	return laid, at
}

// extend joins the next size bytes of a batch to the part, if on the wire they
// go on where it ends: same path, same size, and no short datagram in between.
// What a reader got in several messages leaves in one, which is what sending
// costs by.
func (p *part) extend(ms []Message, next cursor, size int) bool {
	first, m := &ms[p.at.message], &ms[next.message]
	segSize, datagrams := first.segSize(), m.datagramsIn(size)
	switch {
	case p.at.single || p.at.alone || next.single || next.alone || next.message == p.at.message,
		m.Path != first.Path || m.ECN != first.ECN,
		size == 0 || p.bytes == 0 || p.bytes%segSize != 0,
		m.segSize() != segSize && !(datagrams == 1 && size < segSize),
		p.bytes+size > maxGSOBytes || p.datagrams+datagrams > maxGSOSegments:
		return false
	}
	p.pieces++
	p.datagrams += datagrams
	p.bytes += size
	return true
}

// partSize returns how many bytes of m from at on the kernel takes as one.
func partSize(m *Message, at cursor, gso bool) int {
	rest, size := m.N-at.offset, m.segSize()
	if rest <= size {
		return rest
	}
	if !gso || at.single {
		return size
	}
	return min(rest, size*max(1, min(maxGSOSegments, maxGSOBytes/size)))
}

// advance returns the cursor after size bytes of m.
func (at cursor) advance(m *Message, size int) cursor {
	at.offset += size
	if at.offset >= m.N {
		return cursor{message: at.message + 1}
	}
	return at
}

// describe makes element i of the vector say: send it where m goes, and cut it
// into datagrams of m's size if it is several.
func (w *Writer) describe(i int, m *Message, several bool) {
	h := &w.vector.hdrs[i].Hdr
	h.Namelen = w.vector.names[i].set(m.Path.Remote, w.conn.ipv4)

	c := control{buf: w.vector.controls[i]}
	if several {
		c.putSegSize(m.segSize())
	}
	if m.ECN != 0 {
		c.putECN(m.ECN, m.Path.Remote.is4())
	}
	if m.Path.Local.IP != [16]byte{} {
		c.putLocal(&m.Path, w.conn.ipv4)
	}
	h.SetControllen(c.used)
}

// push sends the first n elements of the vector and returns how many the kernel
// took. If that is fewer, w.errno says why the next one was refused, or err says
// that the socket can't be used.
func (w *Writer) push(n int) (int, error) {
	w.pending, w.errno = w.vector.hdrs[:n], unix.EAGAIN
	for w.errno == unix.EAGAIN {
		w.errno = 0
		if err := w.conn.room.try(w.attempt); err != nil {
			return n - len(w.pending), err
		}
	}
	return n - len(w.pending), nil
}

// trySend reports whether the call is over; if not, it is called again when the
// socket has room.
func (w *Writer) trySend(epoll uintptr) bool {
	for len(w.pending) > 0 && w.errno == 0 {
		sent, errno := w.send(w.conn.fd, w.pending)
		switch errno {
		case 0:
			w.pending = w.pending[sent:]
		case unix.EINTR:
		case unix.EAGAIN:
			if w.errno = w.conn.room.await(epoll, w.conn.fd); w.errno == 0 {
				return false
			}
		default:
			w.errno = errno
		}
	}
	w.conn.room.done(epoll, w.conn.fd)
	return true
}

// settle judges the refusal of p and returns where to go on.
func (w *Writer) settle(ms []Message, p part) cursor {
	m := &ms[p.at.message]
	if p.datagrams > 1 && deviceRefuses(w.errno) {
		w.conn.gso.pause()
	}
	switch {
	case p.pieces > 1: // which of the messages is to blame?
		p.at.alone = true
		return p.at
	case p.datagrams > 1 && refusesSegments(w.errno):
		p.at.single = true
		return p.at
	}
	status := statusOf(w.errno)
	if m.Status == Sent {
		m.Status = status
	}
	if status == TooBig {
		return skipEqual(m, p.at)
	}
	m.Unsent += m.datagramsIn(m.N - p.at.offset)
	return cursor{message: p.at.message + 1}
}

// skipEqual gives up the datagrams of m that are as large as the one at the
// cursor. Only the last can be smaller. One refusal per message, not one per
// datagram, is what oversized traffic costs.
func skipEqual(m *Message, at cursor) cursor {
	size := m.segSize()
	if rest := m.N - at.offset; rest > size && rest%size != 0 {
		m.Unsent += rest / size
		at.offset += rest / size * size
		at.single = true
		return at
	}
	m.Unsent += m.datagramsIn(m.N - at.offset)
	return cursor{message: at.message + 1}
}

// abandon marks everything from at on as not sent.
func abandon(ms []Message, at cursor, err error) {
	status := Failed
	if errors.Is(err, os.ErrDeadlineExceeded) {
		status = NoBuffer
	}
	for i := at.message; i < len(ms); i++ {
		m := &ms[i]
		if m.Status == Sent {
			m.Status = status
		}
		m.Unsent += m.datagramsIn(m.N - at.offset)
		at.offset = 0
	}
}
