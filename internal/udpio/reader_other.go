//go:build !linux

package udpio

import "time"

// Reader reads a Conn. It is for one goroutine.
type Reader struct{ conn *Conn }

// NewReader makes a Reader. On this system it takes one message per call.
func (c *Conn) NewReader(int) *Reader { return &Reader{conn: c} }

// ReadBatch waits for a datagram and fills in N, SegSize and Path.Remote of
// ms[0], whose Buf must have MaxBatchBytes. It returns [net.ErrClosed] once the
// Conn is closed and [os.ErrDeadlineExceeded] after the read deadline.
func (r *Reader) ReadBatch(ms []Message) (int, error) {
	if len(ms) == 0 || len(ms[0].Buf) < MaxBatchBytes {
		return 0, ErrShortBuffer
	}
	m := &ms[0]
	n, from, err := r.conn.udp.ReadFromUDPAddrPort(m.Buf)
	if err != nil {
		return 0, plain(err)
	}
	m.N, m.SegSize, m.ECN = n, n, 0
	m.Path = Path{Remote: AddrFrom(from)}
	return 1, nil
}

// BusyPoll does nothing: on this system a read waits at once.
func (r *Reader) BusyPoll(time.Duration) {}

// Waited returns true: whether a read has waited is not known on this system.
func (r *Reader) Waited() bool { return true }

// Wipe has nothing to do: on this system a Reader keeps nothing.
func (r *Reader) Wipe() {}
