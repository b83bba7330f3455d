package tunnel

import (
	"testing"
	"unsafe"

	"golang.org/x/net/ipv4"
	"golang.org/x/sys/unix"
)

const (
	batchDatagrams = 32
	batchSize      = 1400
)

// offloadBench sends runs of datagrams through a fake relay and reads them back, in quic-go's way.
type offloadBench struct {
	leg  *offloadLeg
	data []byte
	oob  []byte
	in   []ipv4.Message
}

func newOffloadBench(t testing.TB, ecn byte) *offloadBench {
	b := &offloadBench{
		leg:  packetConn(newBoundLeg(t, newFakeRelay(t, "127.0.0.1:0"))).(*offloadLeg),
		data: make([]byte, 0, batchDatagrams*batchSize),
		in:   make([]ipv4.Message, 8),
	}
	for i := range batchDatagrams {
		b.data = append(b.data, quicDatagram(batchSize, byte(i))...)
	}
	b.oob = appendCmsg(b.oob, unix.IPPROTO_UDP, unix.UDP_SEGMENT, []byte{batchSize & 0xff, batchSize >> 8})
	b.oob = appendCmsg(b.oob, unix.IPPROTO_IP, unix.IP_TOS, []byte{ecn})
	for i := range b.in {
		b.in[i] = ipv4.Message{Buffers: [][]byte{make([]byte, 1452)}, OOB: make([]byte, 128)}
	}
	return b
}

func appendCmsg(b []byte, level, kind int32, data []byte) []byte {
	m := make([]byte, unix.CmsgSpace(len(data)))
	h := (*unix.Cmsghdr)(unsafe.Pointer(&m[0]))
	h.Level, h.Type = level, kind
	h.SetLen(unix.CmsgLen(len(data)))
	copy(m[unix.CmsgLen(0):], data)
	return append(b, m...)
}

// round sends one run and reads what comes of it; each is called for every datagram.
func (b *offloadBench) round(t testing.TB, each func(ipv4.Message)) (reads int) {
	if n, oobn, err := b.leg.WriteMsgUDP(b.data, b.oob, nil); n != len(b.data) || oobn != len(b.oob) || err != nil {
		t.Fatalf("WriteMsgUDP: %d, %d, %v", n, oobn, err)
	}
	for got := 0; got < batchDatagrams; reads++ {
		n, err := b.leg.ReadBatch(b.in, 0)
		if err != nil {
			t.Fatal(err)
		}
		for i := range n {
			each(b.in[i])
		}
		got += n
	}
	return reads
}

// TestOffload: a run comes back whole, in order, with its ECN bits, and in full batches.
func TestOffload(t *testing.T) {
	for ecn := range byte(4) {
		b := newOffloadBench(t, ecn)
		if o := b.leg.socket.Load().conn.Offload(); !o.GRO || !o.GSO {
			t.Skipf("needs a kernel with GSO and GRO: %+v", o)
		}
		next := 0
		reads := b.round(t, func(m ipv4.Message) {
			data := m.Buffers[0][:m.N]
			if want := b.data[next*batchSize : (next+1)*batchSize]; string(data) != string(want) {
				t.Errorf("datagram %d is %d bytes that begin with %x", next, len(data), data[:2])
			}
			h, body, _, err := unix.ParseOneSocketControlMessage(m.OOB[:m.NN])
			if err != nil || h.Level != unix.IPPROTO_IP || h.Type != unix.IP_TOS || len(body) != 1 || body[0] != ecn {
				t.Errorf("datagram %d: ECN in %+v %x, %v; want %d", next, h, body, err, ecn)
			}
			next++
		})
		if reads > batchDatagrams/4 {
			t.Errorf("%d reads for %d datagrams", reads, batchDatagrams)
		}
	}
}

// TestOffloadAllocs: the data path of a leg does not allocate.
func TestOffloadAllocs(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	b := newOffloadBench(t, 2)
	allocs := testing.AllocsPerRun(200, func() { b.round(t, func(ipv4.Message) {}) })
	if allocs > 0.1 { // a BIND may fall into it
		t.Errorf("%.2f allocations for %d datagrams there and back", allocs, batchDatagrams)
	}
}

func BenchmarkLeg(b *testing.B) {
	bench := newOffloadBench(b, 2)
	b.SetBytes(batchDatagrams * batchSize)
	b.ReportAllocs()
	for b.Loop() {
		bench.round(b, func(ipv4.Message) {})
	}
}
