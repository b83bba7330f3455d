// Package udpio moves UDP datagrams in batches.
//
// The cost of relaying is the number of system calls, not the number of bytes.
// So datagrams that arrive together stay together:
//
//	socket ── recvmmsg, UDP_GRO ──▶ Message, Message, … ── sendmmsg, UDP_SEGMENT ──▶ socket
//
// One [Message] is one or more datagrams of one path and one size: the kernel
// joins what arrived back to back, up to 64 KB, and cuts it again on the way
// out. A message that was read can be written as it is, once Path is replaced.
// Messages of a batch that go the same way one after the other, and are cut
// alike, are handed to the kernel as one: sending costs by the piece. On the
// wire nothing shows of that.
//
// # Parts
//
//   - [Conn] is the socket. Its methods may be called from any goroutine.
//   - [Reader] and [Writer] hold the memory that the system calls need. Each is
//     for one goroutine. A Conn may have several. They share no lock of ours;
//     the runtime lets one goroutine at a time read a socket, and one write it.
//   - [Message] is a buffer and what is known about its bytes. Buffers come from
//     [NewBatch], or by [BatchIn] from memory that the caller has, and belong to
//     the caller. ReadBatch and WriteBatch use them only until they return.
//
// What stays behind when they have returned: bytes in the buffers, also in those
// of messages that nothing came for, since the kernel notices a broken checksum
// after it has copied; addresses in the messages, in the Reader and in the
// Writer. [Forget], [Reader.Wipe] and [Writer.Wipe] take the addresses away.
//
// ReadBatch and WriteBatch do not allocate.
//
// # What is carried
//
//   - ECN bits (RFC 3168), both ways, for IPv4, IPv6 and IPv4 on a dual-stack
//     socket. The rest of the traffic class is not carried.
//   - The local address, when the socket listens on an unspecified address, so
//     that an answer leaves from the address that was asked.
//   - Don't Fragment is set on everything that is sent, and path MTU values that
//     the kernel learned from ICMP are ignored (IP_PMTUDISC_PROBE): the
//     endpoints probe for themselves (RFC 8899). A datagram larger than the MTU
//     of the interface is [TooBig] and is not sent.
//
// # What can fail
//
// Every message of a WriteBatch gets a [SendStatus] and the number of datagrams
// that were not sent. A failure ends its own message only: the rest of that
// message would meet the same end, the next message may have another
// destination.
//
// Segmentation offload may be refused although it was found when the socket was
// made: the path's MTU is smaller than a datagram (EMSGSIZE, EINVAL on old
// kernels), or the route's device cannot checksum or encrypts (EIO, EOPNOTSUPP).
// See udp_send_skb in https://github.com/torvalds/linux/blob/master/net/ipv4/udp.c.
// The message is then sent again as single datagrams. A refusal by the device is
// remembered for ten seconds by the Conn, after which offload is tried again.
//
// A full send buffer makes WriteBatch wait. It drains at the speed of the
// interface, so this is backpressure and not loss. [Conn.SetWriteDeadline]
// bounds the wait.
//
// # Systems
//
// All of this is true on Linux. There, a socket is in the runtime's poller only
// while somebody waits for it: see event_linux.go for the why, and for the three
// descriptors that a Conn has. UDP_GRO (Linux 5.0) and UDP_SEGMENT (Linux 4.18)
// are looked for when the socket is made, see [Conn.Offload]; without them a
// message is one datagram. On other systems each call moves one datagram at a
// time, and ECN, the local address and Don't Fragment are left alone.
package udpio
