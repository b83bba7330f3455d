package udpio

import "iter"

// MaxBatchBytes is the most that one message can hold: the largest IP packet,
// which is also the most that the kernel joins.
const MaxBatchBytes = 1<<16 - 1

// MessageBytes is the memory that one message of a batch takes: MaxBatchBytes,
// and one more that keeps each buffer on a page of its own.
const MessageBytes = 1 << 16

// Message is one or more datagrams of one path, back to back in Buf.
type Message struct {
	// Buf is the whole buffer. It is never replaced by this package.
	Buf []byte

	// N is the number of bytes used.
	N int

	// SegSize is the size in bytes of every datagram in Buf[:N] but the last,
	// which may be shorter. Zero, or N and more, stands for one datagram.
	SegSize int

	// ECN is the two ECN bits (RFC 3168, section 5).
	ECN uint8

	// Path is where the message came from, or where it goes to.
	Path Path

	// Status and Unsent are set by WriteBatch: what became of the message, and
	// how many of its datagrams were not sent.
	Status SendStatus
	Unsent int
}

// NewBatch makes messages with a buffer of MaxBatchBytes each, on the heap.
func NewBatch(messages int) []Message {
	return BatchIn(make([]byte, messages*MessageBytes))
}

// BatchIn makes as many messages as memory has room for, MessageBytes each, with
// a buffer of MaxBatchBytes. The memory stays the caller's, who may wipe it
// between two calls of ReadBatch and WriteBatch.
func BatchIn(memory []byte) []Message {
	ms := make([]Message, len(memory)/MessageBytes)
	for i := range ms {
		start := i * MessageBytes
		ms[i].Buf = memory[start : start+MaxBatchBytes : start+MaxBatchBytes]
	}
	return ms
}

// Forget takes from each message whatever a call has noted about it: sizes and
// addresses. Its Buf stays, and the bytes in it.
func Forget(ms []Message) {
	for i := range ms {
		ms[i] = Message{Buf: ms[i].Buf}
	}
}

// Segments yields each datagram of m. The slices are parts of Buf. There is
// always at least one; an empty datagram is a datagram.
func (m *Message) Segments() iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		rest, size := m.Buf[:m.N], m.segSize()
		for len(rest) > size {
			if !yield(rest[:size:size]) {
				return
			}
			rest = rest[size:]
		}
		yield(rest)
	}
}

// Datagrams returns how many datagrams m holds, at least one.
func (m *Message) Datagrams() int { return m.datagramsIn(m.N) }

// datagramsIn returns how many datagrams bytes of m are, at least one.
func (m *Message) datagramsIn(bytes int) int {
	size := m.segSize()
	if bytes <= size {
		return 1
	}
	return (bytes + size - 1) / size
}

// segSize is SegSize with its special values resolved. It is zero only for one
// empty datagram.
func (m *Message) segSize() int {
	if m.SegSize <= 0 || m.SegSize > m.N {
		return m.N
	}
	return m.SegSize
}
