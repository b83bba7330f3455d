package forward

import (
	"encoding/binary"
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// brokenDatagram is an IPv4 packet from one port of 127.0.0.1 to another, with
// a UDP checksum that is wrong.
func brokenDatagram(from, to uint16, data []byte) []byte {
	p := make([]byte, 28, 28+len(data))
	p[0], p[8], p[9] = 0x45, 64, unix.IPPROTO_UDP
	binary.BigEndian.PutUint16(p[2:], uint16(28+len(data)))
	copy(p[12:], []byte{127, 0, 0, 1, 127, 0, 0, 1})
	binary.BigEndian.PutUint16(p[20:], from)
	binary.BigEndian.PutUint16(p[22:], to)
	binary.BigEndian.PutUint16(p[24:], uint16(8+len(data)))
	binary.BigEndian.PutUint16(p[26:], 0xbad)
	return append(p, data...)
}

// TestBrokenChecksumIsWiped: the kernel copies such a datagram before it notices,
// and tells of nothing. No datagram follows; it is wiped all the same.
func TestBrokenChecksumIsWiped(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root may send a packet that is wrong")
	}
	r := start(t, func(c *Config) { c.Sockets = 1 })
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_RAW, unix.IPPROTO_RAW)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	before := r.Stats()
	sent := noise(1200, 1200)
	await(t, "the broken datagram in the packet memory", func() bool {
		packet := brokenDatagram(9999, r.LocalAddr().Port(), sent)
		if err := unix.Sendto(fd, packet, 0, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
			t.Fatal(err)
		}
		return r.holds(sent)
	})
	r.wiped(t)
	if !r.empty() {
		t.Error("the broken datagram is in the packet memory after the wipe")
	}
	if after := r.Stats(); after.Reads != before.Reads {
		t.Errorf("%d reads brought something: the datagram was not broken", after.Reads-before.Reads)
	}
}
