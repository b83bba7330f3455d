// Package forward is the relay's data plane: it carries datagrams between the
// two legs of a session and never reads them.
//
// # The picture
//
//	           ┌──────────────── Plane ────────────────┐
//	device ──► │ socket 0 ─ loop ─┐                    │
//	           │                  ├─ address table ──► │ ──► router
//	router ──► │ socket 1 ─ loop ─┘       │            │ ──► device
//	           │      │                sessions        │
//	           └──────┼────────────────────────────────┘
//	                  └─► ControlConn ─► the control plane's QUIC
//
// One UDP port serves everybody. It is opened once per core with SO_REUSEPORT,
// and one goroutine per socket carries what comes in there (see loop.go for its steps). First
// bytes tell the protocols apart as in RFC 9443: QUIC has the bit 0x40 set,
// leg messages (internal/wire) do not.
//
// # Which loop owns a leg
//
// The kernel chooses: it hashes the addresses and ports of both ends of a datagram, and so
// gives all that one source sends to the same socket, and to the loop of that socket. That
// loop owns the leg which the source is bound to: it alone writes the leg's counters,
// and keeps its datagrams in order. The legs of a session often have different owners, since
// each loop sends from its own socket to whatever address the other leg has. A leg
// that moves may get another owner; nothing is handed over, since all that a loop needs to know of
// a leg is in the table. Which processor runs a loop is the scheduler's matter.
//
// # Words
//
// A session is two legs, their counters, and a limit if it has one. A leg is
// how the relay reaches one endpoint now: the source address that last proved,
// with a BIND under the leg's secret and a cookie, that it belongs to it.
// Whatever QUIC datagram comes from the address of a leg goes out to the other
// leg as it came, in the batch it came in. A QUIC datagram from any other
// address is the control plane's.
//
// # Limits
//
// The control plane may limit a session in bytes and time ([Session.Limit]).
// The loops count the bytes and drop what is too much, since a second of line
// rate is a gigabit; the sweeper, which looks once a second, ends the session
// then, and also when its time is up. So a limit takes no clock of the forward path, and a
// session without one costs it one atomic load per message. The hook
// [Hooks].Bound tells the control plane where the device is, so that it can
// judge a new address before that carries anything.
//
// [Config].SessionRate bounds what a leg sends in the long run, each way of a session by
// itself, as a line that one buys is. It is a token bucket in one word of the leg
// (bucket.go), which costs a clock reading per batch, and nothing where there is no rate.
//
// When a loop can't keep up, what comes is lost in the kernel, whosever it is. Then the
// loop holds each leg to its share (share.go): a leg that sends too much is dropped
// by the relay, and the quiet ones neither lose nor wait. Nothing is dropped
// where it would help nobody. For that the loop asks for the time once a batch, as long as
// it does not keep up.
//
// A share is a leg's: who has N sessions has N shares. And what is dropped here has been read
// before. Whoever sends faster than a loop can read, with a session or without, fills the
// kernel's queue all the same; no program can help that which reads from it. What would is a filter
// that the kernel asks before it queues a datagram: one on the socket, or in front of it.
//
// # What it can't do
//
// The package imports neither QUIC nor TLS nor os: the data plane has no key
// to decrypt with and no way to write a file. A test in internal/archtest
// holds that.
//
// # Locks
//
// The forward path takes no lock and allocates nothing. The address table is
// read without locks and written under [Plane]'s mutex, when a leg is bound,
// moves or ends.
//
// # Where bytes of datagrams are, and for how long
//
// Each loop owns one fixed set of packet buffers; the control plane's queue is a
// second, bounded one. Both lie in one internal/packetmem, outside of the heap.
// This is every place:
//
//   - The buffers of a loop's batch. The kernel writes there, and sends from there.
//     A part of a message that goes out alone, and the answer to a leg message,
//     are parts of the same buffers. The loop wipes them all ten times a second
//     while anything comes in (see wipe.go for its steps), so a byte is there for
//     a tenth of a second after it has gone out, whether its session lives or not.
//     What can't go out for half a second is dropped.
//   - The addresses of the last batch, in its messages and in what the system
//     calls of Reader and Writer worked on. They are wiped with it.
//   - The queue of the [ControlConn]. A datagram is wiped when the control plane
//     takes it. What the control plane writes is its own.
//   - The buffers of the control plane's QUIC, which are on the heap and which
//     nobody wipes. Nothing that was carried gets there, since a datagram is
//     either carried or handed over. A tunnel's datagrams may come from an address
//     that no leg has: before it is bound, after its session has ended, or while its
//     endpoint moves. Of those only Initial packets are handed over, which hold the
//     start of a tunnel's handshake under keys that anybody can work out, and no
//     payload; the rest is refused or cut off (see initial.go). To refuse the
//     Initial packets of ended sessions, too, one would have to remember their
//     addresses. An address from which a control connection comes is believed:
//     our endpoints use a socket of its own for each session.
//
// When the plane ends, its loops wipe once more, and the memory is given back.
// What waits in a socket is the kernel's, before and after.
package forward
