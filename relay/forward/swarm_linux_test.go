package forward

import (
	"encoding/binary"
	"fmt"
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lethe-relay/lethe/internal/udpio"
)

// A swarm is many sessions, and both ends of each, in one goroutine: two sockets
// that speak from, and hear at, any address of 127/8. Both write what the relay's
// socket has room for, the relay's loop carries it all in the same thread, and both
// take what has come. So the loop always finds as much as it can read, nobody
// disturbs it, and the thread's own clock tells what it cost.
type swarm struct {
	loop  *loop
	ends  [2]*swarmEnd
	round int // messages that each end sends before the loop carries them
	run   int // datagrams of a message
}

// swarmEnd is all devices, or all routers. Its socket is none of the runtime's: a
// poller that is woken for each datagram would be part of what sending to it costs.
type swarmEnd struct {
	fd    int
	relay unix.Sockaddr
	from  []udpio.Addr // of each session
	next  int          // who sends next
	buf   []byte
}

const (
	swarmDatagram = 1200    // bytes
	swarmBuffer   = 4 << 20 // bytes of socket buffer
)

func newSwarm(b *testing.B, sessions, round, run int) *swarm {
	cfg := testConfig()
	cfg.Sockets, cfg.MaxSessions, cfg.OneWayBytes, cfg.BufferBytes = 1, sessions, 1<<60, swarmBuffer
	p, err := Listen(cfg)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(p.Close)
	s := &swarm{loop: p.loops[0], round: round, run: run}
	for i := range s.ends {
		s.ends[i] = newSwarmEnd(b, p, run)
	}
	for range sessions {
		session, err := p.NewSession(Hooks{})
		if err != nil {
			b.Fatal(err)
		}
		for i, l := range session.legs() {
			s.ends[i].take(b, p, l, byte(1+i))
		}
	}
	return s
}

func newSwarmEnd(b *testing.B, p *Plane, run int) *swarmEnd {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { unix.Close(fd) })
	wait := unix.NsecToTimeval(patience.Nanoseconds())
	for _, err := range []error{
		unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, swarmBuffer),
		unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &wait),
		unix.SetsockoptInt(fd, unix.IPPROTO_UDP, unix.UDP_GRO, 1),
		unix.SetsockoptInt(fd, unix.IPPROTO_UDP, unix.UDP_SEGMENT, swarmDatagram),
		unix.Bind(fd, &unix.SockaddrInet4{}),
	} {
		if err != nil {
			b.Fatal(err)
		}
	}
	relay := &unix.SockaddrInet4{Port: int(p.LocalAddr().Port()), Addr: [4]byte{127, 0, 0, 1}}
	return &swarmEnd{fd: fd, relay: relay, buf: payload(run*swarmDatagram, swarmDatagram)}
}

// take binds the leg to an address of the end's.
func (e *swarmEnd) take(b *testing.B, p *Plane, l *Leg, net byte) {
	name, err := unix.Getsockname(e.fd)
	if err != nil {
		b.Fatal(err)
	}
	here := udpio.Addr{Port: uint16(name.(*unix.SockaddrInet4).Port)}
	copy(here.IP[10:], []byte{0xff, 0xff, 127, net})
	binary.BigEndian.PutUint16(here.IP[14:], uint16(len(e.from)+1))
	e.from = append(e.from, here)
	l.mu.Lock()
	defer l.mu.Unlock()
	p.move(l, nil, udpio.Path{Remote: here})
}

// send sends n messages, one of each session in turn.
func (e *swarmEnd) send(b *testing.B, n int) {
	for range n {
		info := unix.PktInfo4(&unix.Inet4Pktinfo{Spec_dst: [4]byte(e.from[e.next].IP[12:])})
		if _, err := unix.SendmsgN(e.fd, e.buf, info, e.relay, 0); err != nil {
			b.Fatal(err)
		}
		e.next = (e.next + 1) % len(e.from)
	}
}

// receive takes n messages, however they are joined.
func (e *swarmEnd) receive(b *testing.B, n int) {
	for n *= len(e.buf); n > 0; {
		got, _, err := unix.Recvfrom(e.fd, nil, unix.MSG_TRUNC)
		if err != nil {
			b.Fatal(err, n)
		}
		n -= got
	}
}

// carry has the loop carry n datagrams.
func (s *swarm) carry(b *testing.B, n int) {
	for n > 0 {
		got, err := s.loop.reader.ReadBatch(s.loop.batch)
		if err != nil {
			b.Fatal(err, n)
		}
		for i := range s.loop.batch[:got] {
			n -= s.loop.batch[i].Datagrams()
		}
		if err := s.loop.send(s.loop.route(s.loop.batch[:got])); err != nil {
			b.Fatal(err)
		}
	}
}

// measure reports the CPU time of the loop, and of the ends as long as they send:
// with the loop's socket in a poller, some of its cost is theirs.
func (s *swarm) measure(b *testing.B) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	s.loop.conn.SetReadDeadline(time.Now().Add(10 * time.Minute)) // of the whole benchmark
	var carrying, sending time.Duration
	n := 0
	for b.Loop() {
		began := threadTime()
		for _, e := range s.ends {
			e.send(b, s.round)
		}
		sent := threadTime()
		s.carry(b, 2*s.round*s.run)
		carried := threadTime()
		for _, e := range s.ends {
			e.receive(b, s.round)
		}
		sending, carrying = sending+sent-began, carrying+carried-sent
		n += 2 * s.round * s.run
	}
	b.ReportMetric(float64(carrying)/float64(n), "cpu-ns/datagram")
	b.ReportMetric(float64(sending)/float64(n), "sender-cpu-ns/datagram")
	b.ReportMetric(0, "ns/op") // it has the ends in it
	if dropped := nonZero(s.loop.plane.Stats().Dropped); len(dropped) != 0 {
		b.Fatal(dropped)
	}
}

func threadTime() time.Duration {
	var ts unix.Timespec
	unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &ts)
	return time.Duration(ts.Nano())
}

// BenchmarkSwarm: datagrams of so many sessions by turns, so that the kernel has
// nothing to merge. The fewer sessions, the more datagrams of one way the loop
// finds in a batch, and joins.
func BenchmarkSwarm(b *testing.B) {
	for _, sessions := range []int{10, 100, 1000, 10_000} {
		b.Run(fmt.Sprintf("sessions=%d", sessions), func(b *testing.B) { newSwarm(b, sessions, 512, 1).measure(b) })
	}
}

// BenchmarkBulk: runs of 53 datagrams, which the kernel keeps together.
func BenchmarkBulk(b *testing.B) {
	for _, sessions := range []int{1, 10} {
		b.Run(fmt.Sprintf("sessions=%d", sessions), func(b *testing.B) { newSwarm(b, sessions, 16, 53).measure(b) })
	}
}
