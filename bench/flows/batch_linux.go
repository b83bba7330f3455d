package flows

import (
	"encoding/binary"
	"net/netip"
	"os"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The system calls here go around Go's poller and scheduler: a socket that the
// poller watches wakes its thread with every datagram, at the relay's expense,
// since on loopback the relay's thread does the kernel's delivering.

// maxArrival is the size of a receive buffer: the most that the kernel leaves
// together.
const maxArrival = 1 << 16

// Control messages, in words of 8 bytes: one that names the source address, and
// what can come with a datagram (packet info, size, time).
const (
	word         = 8
	routeWords   = 4
	arrivalWords = 12
)

// sourceOffset is where the source address is in a route's control message.
const sourceOffset = unix.SizeofCmsghdr + 4 // after ipi_ifindex

func (r *route) bytes() []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(&r.control)), routeWords*word)
}

// setSource makes the control message IP_PKTINFO with this source address.
func (r *route) setSource(from [4]byte) {
	h := (*unix.Cmsghdr)(unsafe.Pointer(&r.control))
	h.Level, h.Type = unix.IPPROTO_IP, unix.IP_PKTINFO
	h.SetLen(unix.CmsgLen(unix.SizeofInet4Pktinfo))
	copy(r.bytes()[sourceOffset:], from[:])
}

// outbox is a batch of messages to send, each with a buffer of its own.
type outbox struct {
	hdrs []unix.Mmsghdr
	iovs []unix.Iovec
	bufs [][]byte
}

// newOutbox makes one of so many messages of so many bytes each.
func newOutbox(messages, size int) *outbox {
	o := &outbox{hdrs: make([]unix.Mmsghdr, messages), iovs: make([]unix.Iovec, messages)}
	for i := range o.hdrs {
		buf := make([]byte, size)
		o.bufs = append(o.bufs, buf)
		o.iovs[i].Base = unsafe.SliceData(buf)
		o.iovs[i].SetLen(size)
		o.hdrs[i].Hdr.Iov = &o.iovs[i]
		o.hdrs[i].Hdr.SetIovlen(1)
		o.hdrs[i].Hdr.Namelen = unix.SizeofSockaddrInet4
		o.hdrs[i].Hdr.SetControllen(unix.CmsgSpace(unix.SizeofInet4Pktinfo))
	}
	return o
}

// message is the buffer of a message.
func (o *outbox) message(i int) []byte { return o.bufs[i] }

// len is how many messages there are.
func (o *outbox) len() int { return len(o.bufs) }

// put says which way a message goes.
func (o *outbox) put(i int, way *route) {
	h := &o.hdrs[i].Hdr
	h.Name = (*byte)(unsafe.Pointer(&way.name))
	h.Control = (*byte)(unsafe.Pointer(&way.control))
}

// send sends the first n messages.
func (o *outbox) send(p *Port, n int) error {
	for sent := 0; sent < n; {
		done, errno := mmsg(unix.SYS_SENDMMSG, p.fd, o.hdrs[sent:n])
		if errno != 0 && errno != unix.EINTR && errno != unix.EAGAIN {
			return os.NewSyscallError("sendmmsg", errno)
		}
		sent += done
	}
	return nil
}

// inbox is a batch of messages that were received.
type inbox struct {
	hdrs     []unix.Mmsghdr
	iovs     []unix.Iovec
	bufs     [][]byte
	names    []unix.RawSockaddrInet4
	controls [][arrivalWords]uint64
}

// newInbox makes one for so many messages.
func newInbox(messages int) *inbox {
	in := &inbox{
		hdrs: make([]unix.Mmsghdr, messages), iovs: make([]unix.Iovec, messages),
		names: make([]unix.RawSockaddrInet4, messages), controls: make([][arrivalWords]uint64, messages),
	}
	for i := range in.hdrs {
		buf := make([]byte, maxArrival)
		in.bufs = append(in.bufs, buf)
		in.iovs[i].Base = unsafe.SliceData(buf)
		in.iovs[i].SetLen(maxArrival)
		h := &in.hdrs[i].Hdr
		h.Iov = &in.iovs[i]
		h.SetIovlen(1)
		h.Name = (*byte)(unsafe.Pointer(&in.names[i]))
		h.Control = (*byte)(unsafe.Pointer(&in.controls[i]))
		in.rearm(i)
	}
	return in
}

// rearm undoes what the kernel wrote into a header.
func (in *inbox) rearm(i int) {
	in.hdrs[i].Hdr.Namelen = unix.SizeofSockaddrInet4
	in.hdrs[i].Hdr.SetControllen(arrivalWords * word)
}

// receive takes what has come, without waiting. What it took before is gone.
func (in *inbox) receive(p *Port) (int, error) {
	n, errno := mmsg(unix.SYS_RECVMMSG, p.fd, in.hdrs)
	if errno == unix.EAGAIN || errno == unix.EINTR {
		return 0, nil
	}
	if errno != 0 {
		return 0, os.NewSyscallError("recvmmsg", errno)
	}
	return n, nil
}

// arrival reads a message of the last receive. It can be read once.
func (in *inbox) arrival(i int) arrival {
	h := &in.hdrs[i]
	n := int(h.Len)
	a := arrival{bytes: in.bufs[i][:n], size: n, endpoint: -1}
	a.from = netip.AddrPortFrom(netip.AddrFrom4(in.names[i].Addr), getPort(&in.names[i].Port))
	a.readControl(unsafe.Slice((*byte)(unsafe.Pointer(&in.controls[i])), h.Hdr.Controllen))
	in.rearm(i)
	return a
}

// readControl takes from control messages what an arrival tells.
func (a *arrival) readControl(b []byte) {
	for len(b) >= unix.SizeofCmsghdr {
		h, data, rest, err := unix.ParseOneSocketControlMessage(b)
		if err != nil {
			return
		}
		switch {
		case h.Level == unix.IPPROTO_IP && h.Type == unix.IP_PKTINFO:
			a.endpoint = endpointAt((*unix.Inet4Pktinfo)(unsafe.Pointer(&data[0])).Addr)
		case h.Level == unix.IPPROTO_UDP && h.Type == unix.UDP_GRO:
			a.size = int(binary.NativeEndian.Uint32(data))
		case h.Level == unix.SOL_SOCKET && h.Type == unix.SO_TIMESTAMPNS:
			a.at = (*unix.Timespec)(unsafe.Pointer(&data[0])).Nano()
		}
		b = rest
	}
}

// mmsg makes either call, without waiting and without telling Go's scheduler.
func mmsg(trap uintptr, fd int, hdrs []unix.Mmsghdr) (int, syscall.Errno) {
	n, _, errno := unix.RawSyscall6(trap, uintptr(fd),
		uintptr(unsafe.Pointer(unsafe.SliceData(hdrs))), uintptr(len(hdrs)), unix.MSG_DONTWAIT, 0, 0)
	if errno != 0 {
		return 0, errno
	}
	return int(n), 0
}

// A port lies in network byte order in a field of native order.

func getPort(field *uint16) uint16 {
	return binary.BigEndian.Uint16((*[2]byte)(unsafe.Pointer(field))[:])
}

func putPort(field *uint16, port uint16) {
	binary.BigEndian.PutUint16((*[2]byte)(unsafe.Pointer(field))[:], port)
}
