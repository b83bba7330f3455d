package udpio

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

// patience is how long a test waits for a datagram that must come.
const patience = 10 * time.Second

// TestWaited: a read that finds something has not waited, one that finds nothing has.
func TestWaited(t *testing.T) {
	client, server := listen(t, "127.0.0.1:0", Config{}), listen(t, "127.0.0.1:0", Config{})
	r, in := server.NewReader(1), NewBatch(1)
	for i := range 2 { // the second datagram is there when the first has come
		send(t, client, message(at(server, "127.0.0.1"), 10+i, 0))
	}
	server.SetReadDeadline(time.Now().Add(patience))
	for range 2 {
		if _, err := r.ReadBatch(in); err != nil {
			t.Fatal(err)
		}
	}
	if r.Waited() && runtime.GOOS == "linux" {
		t.Error("waited for what was there")
	}
	server.SetReadDeadline(time.Now().Add(time.Millisecond))
	if _, err := r.ReadBatch(in); !errors.Is(err, os.ErrDeadlineExceeded) || !r.Waited() {
		t.Errorf("%v; waited: %t", err, r.Waited())
	}
}

func listen(t testing.TB, addr string, cfg Config) *Conn {
	t.Helper()
	c, err := Listen(netip.MustParseAddrPort(addr), cfg)
	if errors.Is(err, syscall.EADDRNOTAVAIL) || errors.Is(err, syscall.EAFNOSUPPORT) {
		t.Skipf("this machine has no %s: %v", addr, err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

// at returns the address of c's port at ip.
func at(c *Conn, ip string) Addr {
	return AddrFrom(netip.AddrPortFrom(netip.MustParseAddr(ip), c.LocalAddr().Port()))
}

// message returns a message of n bytes in datagrams of segSize.
func message(to Addr, n, segSize int) *Message {
	m := &NewBatch(1)[0]
	m.N, m.SegSize, m.Path.Remote = n, segSize, to
	fill(m)
	return m
}

// send writes m and returns it as WriteBatch left it.
func send(t testing.TB, c *Conn, m *Message) Message {
	t.Helper()
	ms := []Message{*m}
	if err := c.NewWriter(1).WriteBatch(ms); err != nil {
		t.Fatal(err)
	}
	return ms[0]
}

// mustSend writes m, all of which must go out.
func mustSend(t testing.TB, c *Conn, m *Message) {
	t.Helper()
	if got := send(t, c, m); got.Status != Sent || got.Unsent != 0 {
		t.Fatalf("send to %v: %v, %d datagrams unsent", m.Path.Remote, got.Status, got.Unsent)
	}
}

// receive reads until it has so many datagrams.
func receive(t testing.TB, c *Conn, datagrams int) []Message {
	t.Helper()
	if err := c.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	var got []Message
	for r, left := c.NewReader(8), datagrams; left > 0; {
		ms := NewBatch(8)
		n, err := r.ReadBatch(ms)
		if err != nil {
			t.Fatalf("%d of %d datagrams are missing: %v", left, datagrams, err)
		}
		for i := range ms[:n] {
			left -= ms[i].Datagrams()
		}
		got = append(got, ms[:n]...)
	}
	return got
}

// bytesOf joins the bytes of ms.
func bytesOf(ms []Message) []byte {
	var b []byte
	for i := range ms {
		b = append(b, ms[i].Buf[:ms[i].N]...)
	}
	return b
}

// families are the ways for two sockets to talk: where they listen, and the
// address at which each finds the other.
var families = []struct{ name, client, server, ip string }{
	{"IPv4", "127.0.0.1:0", "127.0.0.1:0", "127.0.0.1"},
	{"IPv6", "[::1]:0", "[::1]:0", "::1"},
	{"IPv4 to dual stack", "127.0.0.1:0", "[::]:0", "127.0.0.1"},
	{"IPv6 to dual stack", "[::1]:0", "[::]:0", "::1"},
	{"dual stack to IPv4", "[::]:0", "127.0.0.1:0", "127.0.0.1"},
	{"mapped", "[::ffff:127.0.0.1]:0", "[::ffff:127.0.0.1]:0", "127.0.0.1"},
}

func TestRoundTrip(t *testing.T) {
	for _, f := range families {
		t.Run(f.name, func(t *testing.T) {
			client, server := listen(t, f.client, Config{}), listen(t, f.server, Config{})
			question := message(at(server, f.ip), 100, 0)
			mustSend(t, client, question)

			got := receive(t, server, 1)[0]
			if got.Path.Remote != at(client, f.ip) {
				t.Fatalf("came from %v, want %v", got.Path.Remote, at(client, f.ip))
			}
			mustSend(t, server, &got)

			answer := receive(t, client, 1)[0]
			if answer.Path.Remote != at(server, f.ip) {
				t.Errorf("answer came from %v, want %v", answer.Path.Remote, at(server, f.ip))
			}
			if !bytes.Equal(bytesOf([]Message{answer}), question.Buf[:question.N]) {
				t.Error("the answer differs from the question")
			}
		})
	}
}

func TestEmptyDatagram(t *testing.T) {
	client, server := listen(t, "127.0.0.1:0", Config{}), listen(t, "127.0.0.1:0", Config{})
	mustSend(t, client, message(at(server, "127.0.0.1"), 0, 0))
	if got := receive(t, server, 1)[0]; got.N != 0 || !got.Path.Remote.IsValid() {
		t.Errorf("got %d bytes from %v", got.N, got.Path.Remote)
	}
}

func TestWriteBatchTriesEveryMessage(t *testing.T) {
	client, server := listen(t, "127.0.0.1:0", Config{}), listen(t, "127.0.0.1:0", Config{})
	good := at(server, "127.0.0.1")
	ms := []Message{
		*message(AddrFrom(netip.MustParseAddrPort("[::1]:9")), 10, 0), // not from an IPv4 socket
		*message(good, 10, 0),
		*message(good, MaxBatchBytes, 0), // more than any IP packet's payload
		*message(good, 20, 0),
		*message(Addr{}, 10, 0),
	}
	if err := client.NewWriter(2).WriteBatch(ms); err != nil {
		t.Fatal(err)
	}
	for i, sent := range []bool{false, true, false, true, false} {
		if got := ms[i].Status == Sent && ms[i].Unsent == 0; got != sent {
			t.Errorf("message %d: %v, %d unsent", i, ms[i].Status, ms[i].Unsent)
		}
	}
	got := receive(t, server, 2)
	if len(got) != 2 || got[0].N != 10 || got[1].N != 20 {
		t.Errorf("received %d messages, want those of 10 and 20 bytes", len(got))
	}
}

func TestReadBatchRefusesShortBuffers(t *testing.T) {
	r := listen(t, "127.0.0.1:0", Config{}).NewReader(1)
	for _, ms := range [][]Message{nil, {{Buf: make([]byte, MaxBatchBytes-1)}}} {
		if n, err := r.ReadBatch(ms); n != 0 || !errors.Is(err, ErrShortBuffer) {
			t.Errorf("ReadBatch of %d messages = %d, %v", len(ms), n, err)
		}
	}
}

func TestReadDeadline(t *testing.T) {
	c := listen(t, "127.0.0.1:0", Config{})
	if err := c.SetReadDeadline(time.Now().Add(time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	_, err := c.NewReader(1).ReadBatch(NewBatch(1))
	var timeout net.Error
	if !errors.Is(err, os.ErrDeadlineExceeded) || !errors.As(err, &timeout) || !timeout.Timeout() {
		t.Fatalf("ReadBatch = %v, want a time-out", err)
	}
	mustSend(t, c, message(at(c, "127.0.0.1"), 1, 0))
	receive(t, c, 1) // a new deadline makes the socket readable again
}

func TestWriteDeadline(t *testing.T) {
	c := listen(t, "127.0.0.1:0", Config{})
	if err := c.SetWriteDeadline(time.Now().Add(-time.Second)); err != nil {
		t.Fatal(err)
	}
	ms := []Message{*message(at(c, "127.0.0.1"), 30, 10), *message(at(c, "127.0.0.1"), 1, 0)}
	if err := c.NewWriter(1).WriteBatch(ms); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("WriteBatch = %v, want a time-out", err)
	}
	for i, unsent := range []int{3, 1} {
		if ms[i].Status != NoBuffer || ms[i].Unsent != unsent {
			t.Errorf("message %d: %v, %d unsent, want %v, %d", i, ms[i].Status, ms[i].Unsent, NoBuffer, unsent)
		}
	}
}

func TestCloseEndsAReadUnderWay(t *testing.T) {
	c := listen(t, "127.0.0.1:0", Config{})
	reading, done := make(chan struct{}), make(chan error)
	go func() {
		r := c.NewReader(1)
		close(reading)
		_, err := r.ReadBatch(NewBatch(1))
		done <- err
	}()
	<-reading
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-done:
		if err != net.ErrClosed {
			t.Errorf("ReadBatch = %v, want net.ErrClosed itself", err)
		}
	case <-time.After(patience):
		t.Fatal("ReadBatch still waits")
	}
}

func TestClosed(t *testing.T) {
	c := listen(t, "127.0.0.1:0", Config{})
	to := at(c, "127.0.0.1")
	for range 2 {
		if err := c.Close(); err != nil {
			t.Fatalf("Close = %v", err)
		}
	}
	if _, err := c.NewReader(1).ReadBatch(NewBatch(1)); err != net.ErrClosed {
		t.Errorf("ReadBatch = %v", err)
	}
	ms := []Message{*message(to, 20, 10)}
	if err := c.NewWriter(1).WriteBatch(ms); err != net.ErrClosed {
		t.Errorf("WriteBatch = %v", err)
	}
	if ms[0].Status != Failed || ms[0].Unsent != 2 {
		t.Errorf("%v, %d unsent, want %v, 2", ms[0].Status, ms[0].Unsent, Failed)
	}
	if err := c.SetReadDeadline(time.Now()); err != net.ErrClosed {
		t.Errorf("SetReadDeadline = %v", err)
	}
}

func TestListenErrorsSayHowToMend(t *testing.T) {
	taken := listen(t, "127.0.0.1:0", Config{}).LocalAddr()
	for _, tt := range []struct {
		addr netip.AddrPort
		is   error
		hint string
	}{
		{taken, syscall.EADDRINUSE, "listen on another"},
		{netip.MustParseAddrPort("192.0.2.1:0"), syscall.EADDRNOTAVAIL, "an interface of this machine"},
	} {
		_, err := Listen(tt.addr, Config{})
		if !errors.Is(err, tt.is) || !strings.Contains(err.Error(), tt.hint) ||
			strings.Count(err.Error(), tt.addr.String()) != 1 {
			t.Errorf("Listen(%v) = %v, want %v once with the address and a hint", tt.addr, err, tt.is)
		}
	}
	if _, err := Listen(netip.AddrPort{}, Config{}); err == nil {
		t.Error("the invalid address was accepted")
	}
}

func TestListenHint(t *testing.T) {
	for err, hint := range map[error]string{
		syscall.EMFILE:                          "open files",
		os.NewSyscallError("x", syscall.ENFILE): "open files",
		syscall.ENOSPC:                          "max_user_watches",
		os.ErrNoDeadline:                        "max_user_watches",
		syscall.ENOMEM:                          "memory",
		syscall.EINVAL:                          "check the address",
	} {
		if got := listenHint(err); !strings.Contains(got, hint) {
			t.Errorf("%v: %q, want something about %q", err, got, hint)
		}
	}
}

func TestControlIsCalledBeforeBind(t *testing.T) {
	for addr, want := range map[string]string{
		"127.0.0.1:0": "udp4", "0.0.0.0:0": "udp4", "[::ffff:127.0.0.1]:0": "udp4", "[::]:0": "udp6",
	} {
		var network string
		listen(t, addr, Config{Control: func(n, _ string, raw syscall.RawConn) error {
			network = n
			return raw.Control(func(uintptr) {})
		}})
		if network != want {
			t.Errorf("listening on %s, Control saw network %q, want %q", addr, network, want)
		}
	}
	_, err := Listen(netip.MustParseAddrPort("127.0.0.1:0"),
		Config{Control: func(string, string, syscall.RawConn) error { return io.ErrUnexpectedEOF }})
	if !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("Control's error is lost: %v", err)
	}
}
