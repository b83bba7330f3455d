package control

import (
	"bytes"
	"context"
	"encoding/binary"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/quic-go/quic-go"
)

// deaf is the socket of a source that asks and never listens, as one with a
// forged address is.
type deaf struct {
	net.PacketConn
	sent, answered, others atomic.Int64 // bytes; packets that are no Retry
	enough                 func()       // called when a few answers have come
}

func (d *deaf) WriteTo(b []byte, to net.Addr) (int, error) {
	d.sent.Add(int64(len(b)))
	return d.PacketConn.WriteTo(b, to)
}

func (d *deaf) ReadFrom(b []byte) (int, net.Addr, error) {
	for answers := 1; ; answers++ {
		n, from, err := d.PacketConn.ReadFrom(b)
		if err != nil {
			return n, from, err
		}
		d.answered.Add(int64(n))
		if b[0]&0xf0 != 0xf0 { // long header, type Retry (RFC 9000, section 17.2.5)
			d.others.Add(1)
		}
		if answers == 3 {
			d.enough()
		}
	}
}

// TestSilentSourceGetsRetryOnly: whoever has not proved its address gets nothing
// but Retry, and no more bytes than it sent.
func TestSilentSourceGetsRetryOnly(t *testing.T) {
	r := startRelay(t, nil, nil)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	source := &deaf{PacketConn: listenUDP(t), enough: cancel}
	tr := &quic.Transport{Conn: source}
	if _, err := tr.Dial(ctx, r.udpAddr(), clientTLS(certificate(t, identity(t))), nil); err == nil {
		t.Error("connected without listening")
	}
	tr.Close()
	sent, answered := source.sent.Load(), source.answered.Load()
	if answered == 0 || answered > sent || source.others.Load() != 0 {
		t.Errorf("%d bytes answered %d, in them %d packets other than Retry", answered, sent, source.others.Load())
	}
}

// TestListeningSourceIsAskedForRetry: and also one that would answer is not
// believed before it has.
func TestListeningSourceIsAskedForRetry(t *testing.T) {
	r := startRelay(t, nil, nil)
	r.dial(t, identity(t)) // a token from here, if there were any, would be of use below
	proxy := &firstAnswer{PacketConn: listenUDP(t)}
	tr := &quic.Transport{Conn: proxy}
	defer tr.Close()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	conn, err := tr.Dial(ctx, r.udpAddr(), clientTLS(certificate(t, identity(t))), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.CloseWithError(0, "")
	if first := byte(proxy.first.Load()); first&0xf0 != 0xf0 {
		t.Errorf("the first answer begins with %#x, which is no Retry", first)
	}
}

// firstAnswer remembers the first byte of the first answer.
type firstAnswer struct {
	net.PacketConn
	first atomic.Int32
}

func (f *firstAnswer) ReadFrom(b []byte) (int, net.Addr, error) {
	n, from, err := f.PacketConn.ReadFrom(b)
	if n > 0 {
		f.first.CompareAndSwap(0, int32(b[0]))
	}
	return n, from, err
}

// versionProbe is a packet of n bytes of a QUIC version that nobody has, and
// with a mark as its source connection id. An answer begins with the mark.
func versionProbe(n int, mark uint64) []byte {
	b := make([]byte, n)
	b[0] = 0xc0
	copy(b[1:], "\x1a\x2a\x3a\x4a")
	b[5] = 8
	b[14] = 8
	binary.BigEndian.PutUint64(b[15:], mark)
	return b
}

// TestJunkIsNotAmplified: no datagram that looks like QUIC gets an answer larger
// than itself.
func TestJunkIsNotAmplified(t *testing.T) {
	r := startRelay(t, nil, nil)
	c, err := net.DialUDP("udp", nil, r.udpAddr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(patience))
	for i, junk := range [][]byte{
		bytes.Repeat([]byte{0x40}, 20), bytes.Repeat([]byte{0x40}, 60), bytes.Repeat([]byte{0x7f}, 1200),
		bytes.Repeat([]byte{0xc3}, 100), bytes.Repeat([]byte{0xff}, 1200), {0x40}, {0xc0, 0, 0, 0, 1},
		versionProbe(30, 0), versionProbe(100, 0), versionProbe(1199, 0), versionProbe(1452, 0),
	} {
		mark := uint64(1 + i)
		for _, b := range [][]byte{junk, versionProbe(1200, mark)} {
			if _, err := c.Write(b); err != nil {
				t.Fatal(err)
			}
		}
		if got := bytesBefore(t, c, mark); got > len(junk) {
			t.Errorf("%d bytes answer %d bytes that begin with %#x", got, len(junk), junk[0])
		}
	}
}

// bytesBefore counts what comes before the answer to the probe with the mark.
func bytesBefore(t *testing.T, c *net.UDPConn, mark uint64) (total int) {
	t.Helper()
	b := make([]byte, 1500)
	for {
		n, err := c.Read(b)
		if err != nil {
			t.Fatal(err)
		}
		if n >= 14 && b[5] == 8 && binary.BigEndian.Uint64(b[6:]) == mark {
			return total
		}
		total += n
	}
}
