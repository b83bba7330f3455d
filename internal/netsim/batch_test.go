package netsim

import (
	"bytes"
	"net/netip"
	"testing"
	"time"

	"github.com/lethe-relay/lethe/internal/udpio"
)

// batchPeer is a client or server that reads and writes batches.
type batchPeer struct {
	t      *testing.T
	conn   *udpio.Conn
	reader *udpio.Reader
	writer *udpio.Writer
	batch  []udpio.Message
}

func newBatchPeer(t *testing.T) *batchPeer {
	t.Helper()
	conn, err := udpio.Listen(loopback4, udpio.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return &batchPeer{t, conn, conn.NewReader(4), conn.NewWriter(4), udpio.NewBatch(4)}
}

// send writes content as one message of datagrams of size bytes, the last one shorter.
func (p *batchPeer) send(content []byte, size int, ecn uint8, to udpio.Addr) {
	p.t.Helper()
	m := &p.batch[0]
	m.N, m.SegSize, m.ECN, m.Path = copy(m.Buf, content), size, ecn, udpio.Path{Remote: to}
	if err := p.writer.WriteBatch(p.batch[:1]); err != nil || m.Status != udpio.Sent {
		p.t.Fatalf("%v, %v", err, m.Status)
	}
}

// expect reads content back in as few messages as it was sent, and returns where it came from.
func (p *batchPeer) expect(content []byte, size int, ecn uint8) udpio.Addr {
	p.t.Helper()
	_ = p.conn.SetReadDeadline(time.Now().Add(patience))
	n, err := p.reader.ReadBatch(p.batch)
	if err != nil {
		p.t.Fatal(err)
	}
	m := &p.batch[0]
	if n != 1 || m.SegSize != size || m.ECN != ecn || !bytes.Equal(m.Buf[:m.N], content) {
		p.t.Fatalf("got %d messages, the first with %d bytes in datagrams of %d, ECN %d; want one with %d in %d, ECN %d",
			n, m.N, m.SegSize, m.ECN, len(content), size, ecn)
	}
	return m.Path.Remote
}

// TestBatches sends a full batch each way: it must come out as one, with its ECN bits.
func TestBatches(t *testing.T) {
	server, client := newBatchPeer(t), newBatchPeer(t)
	if o := server.conn.Offload(); !o.GRO || !o.GSO {
		t.Skip("this system does not join datagrams")
	}
	const size = 1200
	content := bytes.Repeat([]byte("0123456789"), 4000) // 34 datagrams, the last of 400 bytes
	for name, opts := range map[string][]Option{"plain": nil, "handled": {Handle(forwardAll)}} {
		t.Run(name, func(t *testing.T) {
			proxy := newProxy(t, loopback4, server.conn.LocalAddr(), opts...)
			for ecn := range uint8(4) {
				client.send(content, size, ecn, udpio.AddrFrom(proxy.Addr()))
				port := server.expect(content, size, ecn)
				server.send(content, size, ecn, port)
				client.expect(content, size, ecn)
			}
		})
	}
}

func forwardAll(Direction, netip.AddrPort, []byte) bool { return true }

// TestFilterMessage drops the datagrams that hold an 'x' out of a batch.
func TestFilterMessage(t *testing.T) {
	for _, tc := range []struct {
		name, in string
		size     int
		want     string
		keep     bool
	}{
		{"all stay", "aabbc", 2, "aabbc", true},
		{"the first goes", "xabbc", 2, "bbc", true},
		{"one in the middle goes", "aaxbc", 2, "aac", true},
		{"the short last goes", "aabbx", 2, "aabb", true},
		{"only the short last stays", "xaxbc", 2, "c", true},
		{"none stays", "xaxbx", 2, "", false},
		{"a single datagram", "abc", 0, "abc", true},
		{"an empty datagram", "", 0, "", true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := &Proxy{handle: func(_ Direction, _ netip.AddrPort, d []byte) bool { return !bytes.Contains(d, []byte("x")) }}
			m := udpio.NewBatch(1)[0]
			m.N, m.SegSize = copy(m.Buf, tc.in), tc.size
			before := m.Datagrams()
			keep := p.filterMessage(ToServer, netip.AddrPort{}, &m)
			if keep != tc.keep || string(m.Buf[:m.N]) != tc.want {
				t.Errorf("kept %v, %q; want %v, %q", keep, m.Buf[:m.N], tc.keep, tc.want)
			}
			if after := m.Datagrams(); keep && uint64(before-after) != p.Drops().Handled {
				t.Errorf("%d datagrams became %d, but %d were counted", before, after, p.Drops().Handled)
			}
		})
	}
}
