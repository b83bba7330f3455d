package udpio

import "syscall"

// SendStatus says what became of a message. All values lie between [Sent] and
// [Failed].
type SendStatus uint8

const (
	// Sent means that the kernel took every datagram.
	Sent SendStatus = iota

	// TooBig means that at least one datagram is larger than the MTU of the
	// interface. Smaller ones of the message were sent.
	TooBig

	// NoBuffer means that the kernel had no room, or that the write deadline
	// passed while waiting for room.
	NoBuffer

	// Unreachable means that there is no way to the destination now: no route,
	// an address family that the socket does not speak, a firewall rule.
	Unreachable

	// Failed means anything else, such as a bad address or a closed socket.
	Failed
)

// String returns a short lower-case name, fit for a metric label.
func (s SendStatus) String() string {
	switch s {
	case Sent:
		return "sent"
	case TooBig:
		return "too_big"
	case NoBuffer:
		return "no_buffer"
	case Unreachable:
		return "unreachable"
	case Failed:
		return "failed"
	}
	return "unknown"
}

// statusOf sorts the errors of sending one datagram.
func statusOf(errno syscall.Errno) SendStatus {
	switch errno {
	case 0:
		return Sent
	case syscall.EMSGSIZE:
		return TooBig
	case syscall.ENOBUFS, syscall.ENOMEM:
		return NoBuffer
	case syscall.ENETUNREACH, syscall.EHOSTUNREACH, syscall.ECONNREFUSED,
		syscall.ENETDOWN, syscall.EHOSTDOWN, syscall.EADDRNOTAVAIL,
		syscall.EAFNOSUPPORT, syscall.EPERM, syscall.EACCES:
		return Unreachable
	}
	return Failed
}
