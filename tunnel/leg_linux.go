package tunnel

import (
	"net"
	"syscall"
	"unsafe"

	"golang.org/x/net/ipv4"
	"golang.org/x/sys/unix"

	"github.com/lethe-relay/lethe/internal/udpio"
)

// packetConn is the leg as quic-go likes it best: with GSO and ECN on send,
// and with GRO on receive, which quic-go does not do by itself.
func packetConn(l *leg) net.PacketConn { return &offloadLeg{leg: l, ecn: ecnMessages()} }

// offloadLeg implements quic.OOBCapablePacketConn and ReadBatch.
type offloadLeg struct {
	*leg
	ecn [4][]byte // control messages for received ECN bits, made once
}

// ReadBatch fills as many of ms as there are datagrams left of the last GRO
// read, and reads again when there are none. quic-go calls it from one
// goroutine. There is no allocation in it: Addr is set once for each of ms.
func (l *offloadLeg) ReadBatch(ms []ipv4.Message, _ int) (int, error) {
	l.feed.wait()
	for {
		n := 0
		for n < len(ms) {
			size, ecn, ok := l.take(ms[n].Buffers[0])
			if !ok {
				break
			}
			m := &ms[n]
			m.N, m.NN = size, copy(m.OOB, l.ecn[ecn&3])
			if m.Addr == nil {
				m.Addr = virtualPeer()
			}
			n++
		}
		if n > 0 {
			return n, nil
		}
		if err := l.fill(); err != nil {
			return 0, err
		}
	}
}

// WriteMsgUDP sends b with the segment size and ECN bits that quic-go put into
// oob. It puts them in anew, because oob was made for the virtual address, and
// the relay's may be of another family.
func (l *offloadLeg) WriteMsgUDP(b, oob []byte, _ *net.UDPAddr) (n, oobn int, err error) {
	m := udpio.Message{Buf: b, N: len(b)}
	for left := oob; len(left) > 0; {
		header, data, rest, err := unix.ParseOneSocketControlMessage(left)
		if err != nil {
			return 0, 0, err
		}
		switch {
		case header.Level == unix.IPPROTO_UDP && header.Type == unix.UDP_SEGMENT:
			m.SegSize = int(*(*uint16)(unsafe.Pointer(&data[0])))
		case header.Level == unix.IPPROTO_IP && header.Type == unix.IP_TOS:
			m.ECN = data[0] & 3
		}
		left = rest
	}
	if m.SegSize >= m.N {
		m.SegSize = 0
	}
	return len(b), len(oob), l.carry(m)
}

// ReadMsgUDP is part of quic-go's interface and is not called: ReadBatch is.
func (l *offloadLeg) ReadMsgUDP(b, _ []byte) (n, oobn, flags int, addr *net.UDPAddr, err error) {
	n, _, err = l.ReadFrom(b)
	return n, 0, 0, virtualPeer(), err
}

// SyscallConn gives quic-go the current socket to probe for GSO on.
func (l *offloadLeg) SyscallConn() (syscall.RawConn, error) {
	return l.socket.Load().conn.SyscallConn()
}

// ecnMessages makes the control messages that the kernel would: IP_TOS with
// one byte, of which quic-go reads the two ECN bits (RFC 3168).
func ecnMessages() (all [4][]byte) {
	for bits := range all {
		b := make([]byte, unix.CmsgSpace(1))
		h := (*unix.Cmsghdr)(unsafe.Pointer(&b[0]))
		h.Level, h.Type = unix.IPPROTO_IP, unix.IP_TOS
		h.SetLen(unix.CmsgLen(1))
		b[unix.CmsgLen(0)] = byte(bits)
		all[bits] = b
	}
	return all
}
