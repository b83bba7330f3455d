package forward

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/hex"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/quic-go/quic-go"

	"github.com/lethe-relay/lethe/auth"
)

// recorder is a socket that keeps what is sent from it.
type recorder struct {
	net.PacketConn

	mu   sync.Mutex
	sent [][]byte
}

func (r *recorder) WriteTo(b []byte, to net.Addr) (int, error) {
	r.mu.Lock()
	r.sent = append(r.sent, bytes.Clone(b))
	r.mu.Unlock()
	return r.PacketConn.WriteTo(b, to)
}

// datagrams are those sent so far.
func (r *recorder) datagrams() [][]byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.sent)
}

func record(t *testing.T) *recorder {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return &recorder{PacketConn: conn}
}

func isShort(datagram []byte) bool { return datagram[0]&longHeader == 0 }

// recordTunnel has quic-go shake hands and send payload. It returns what each end has sent.
func recordTunnel(t *testing.T, version quic.Version) (device, router [][]byte) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	id, err := auth.NewIdentity(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := id.Certificate(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	serverConn, clientConn := record(t), record(t)
	serverTransport, clientTransport := &quic.Transport{Conn: serverConn}, &quic.Transport{Conn: clientConn}
	defer serverTransport.Close()
	defer clientTransport.Close()
	cfg := &quic.Config{Versions: []quic.Version{version}}
	listener, err := serverTransport.Listen(&tls.Config{Certificates: []tls.Certificate{cert}, NextProtos: []string{"test"}}, cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	accepted := make(chan *quic.Conn, 1)
	go func() {
		conn, _ := listener.Accept(ctx)
		accepted <- conn
	}()
	conn, err := clientTransport.Dial(ctx, serverConn.LocalAddr(), &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"test"}}, cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.CloseWithError(0, "")
	stream, err := conn.OpenStreamSync(ctx)
	if err != nil {
		t.Fatal(err)
	}
	await(t, "a datagram of payload alone", func() bool {
		if _, err := stream.Write(make([]byte, 100)); err != nil {
			t.Fatal(err)
		}
		return slices.ContainsFunc(clientConn.datagrams(), isShort)
	})
	if <-accepted == nil {
		t.Fatal("the handshake did not end")
	}
	return clientConn.datagrams(), serverConn.datagrams()
}

// TestTunnelsStayOutOfTheControlPlane: of what a real tunnel sends, and that
// comes from an address that no leg has, only Initial packets reach the control
// plane. A datagram that begins with one may go on with payload.
func TestTunnelsStayOutOfTheControlPlane(t *testing.T) {
	for _, version := range []quic.Version{quic.Version1, quic.Version2} {
		t.Run(version.String(), func(t *testing.T) {
			device, router := recordTunnel(t, version)
			hello, last := device[0], device[slices.IndexFunc(device, isShort)]
			if initialBytes(hello) != len(hello) {
				t.Fatal("the recording does not begin with Initial packets alone")
			}
			answer := router[slices.IndexFunc(router, func(b []byte) bool { return initialBytes(b) > 0 })]
			initial := initialBytes(answer)
			last = last[:min(len(last), controlDatagram-initial)]    // more would be dropped
			joined := append(bytes.Clone(answer[:initial]), last...) // as an end does when both have room
			if got := expectInitials(t, joined); got != len(joined)-len(last) {
				t.Errorf("%d bytes of a joined datagram passed, want %d", got, len(joined)-len(last))
			}
			for _, sent := range slices.Concat(device, router) {
				passed := expectInitials(t, sent)
				if &sent[0] == &hello[0] && passed != len(sent) {
					t.Errorf("the first datagram was cut to %d bytes", passed)
				}
			}
		})
	}
}

// expectInitials hands the loop a datagram from a strange address, and checks
// what of it reaches the control plane: Initial packets, and otherwise zeros.
func expectInitials(t *testing.T, sent []byte) (passed int) {
	t.Helper()
	b := newBench(t)
	b.feed(t, address(5), sent, 0)
	passed = initialBytes(sent)
	if st := b.Stats(); passed == 0 {
		if st.Control != 0 || st.Dropped[DropControlStray] != 1 {
			t.Errorf("%d datagrams reached the control plane, %v were dropped", st.Control, nonZero(st.Dropped))
		}
		return 0
	}
	got := make([]byte, controlDatagram)
	n, _, err := b.control.ReadFrom(got)
	if err != nil {
		t.Fatal(err)
	}
	if n != len(sent) || !bytes.Equal(got[:passed], sent[:passed]) || !bytes.Equal(got[passed:], make([]byte, len(got)-passed)) {
		t.Errorf("%d bytes reached the control plane, of a datagram of %d with %d of Initial packets, or other bytes", n, len(sent), passed)
	}
	return passed
}

// TestExpectedAddressesPassWhole: there the datagram is a connection's of the
// control plane, in its handshake or after.
func TestExpectedAddressesPassWhole(t *testing.T) {
	device, _ := recordTunnel(t, quic.Version1)
	b := newBench(t)
	b.feed(t, address(5), payload(100, 100), 0)
	got := make([]byte, controlDatagram)
	_, addr, err := b.control.ReadFrom(got)
	if err != nil {
		t.Fatal(err)
	}
	defer b.control.Expect(addr)()
	for _, sent := range device {
		b.feed(t, address(5), sent, 0)
		if n, _, err := b.control.ReadFrom(got); err != nil || !bytes.Equal(got[:n], sent) {
			t.Fatalf("%d of %d bytes, or others: %v", n, len(sent), err)
		}
	}
}

func TestInitialBytes(t *testing.T) {
	const initial = "c0 00000001 02 aabb 01 cc 00 03 112233"
	const withToken = "c3 00000001 00 00 4002 9999 4004 11223344"
	for _, tt := range []struct {
		name, datagram string
		want           int
	}{
		{"one", initial, 15},
		{"with a token, and long integers", withToken, 17},
		{"version 2", "d0 6b3343cf 02 aabb 01 cc 00 03 112233", 15},
		{"two", initial + withToken, 32},
		{"then a handshake packet", initial + "e0 00000001 02 aabb 01 cc 03 112233", 15},
		{"then a short header", initial + "40 aabbccdd", 15},
		{"then zeros", initial + "00000000", 15},
		{"then another version", initial + "c0 0000000a 00 00 00", 15},
		{"0-RTT", "d0 00000001 02 aabb 01 cc 03 112233", 0},
		{"handshake", "e0 00000001 02 aabb 01 cc 03 112233", 0},
		{"Retry", "f0 00000001 02 aabb 01 cc 03 112233", 0},
		{"Retry of version 2", "c0 6b3343cf 02 aabb 01 cc 03 112233", 0},
		{"short header", "40 aabbccdd", 0},
		{"another version", "c0 0000000a aabbccdd", 9},
		{"connection ID too long", "c0 00000001 15" + "00000000000000000000000000000000000000000000000000 00 01 00", 0},
		{"longer than the datagram", "c0 00000001 02 aabb 01 cc 00 04 112233", 0},
		{"token longer than the datagram", "c0 00000001 02 aabb 01 cc ffffffffffffffff 01 00", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b, err := hex.DecodeString(string(bytes.ReplaceAll([]byte(tt.datagram), []byte(" "), nil)))
			if err != nil {
				t.Fatal(err)
			}
			if got := initialBytes(b); got != tt.want {
				t.Errorf("%d bytes, want %d", got, tt.want)
			}
			for n := range b {
				if got := initialBytes(b[:n]); got > n || got < 0 {
					t.Errorf("%d bytes of a prefix of %d", got, n)
				}
			}
		})
	}
}
