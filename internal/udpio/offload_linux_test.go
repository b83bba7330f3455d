package udpio

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sys/unix"
)

// pair returns two sockets with offload on loopback.
func pair(t testing.TB) (client, server *Conn) {
	t.Helper()
	client, server = listen(t, "127.0.0.1:0", Config{}), listen(t, "127.0.0.1:0", Config{})
	if o := client.Offload(); !o.GRO || !o.GSO {
		t.Skipf("the kernel has no UDP offload: %+v", o)
	}
	return client, server
}

func TestOffload(t *testing.T) {
	for _, tt := range []struct {
		name       string
		n, segSize int
		messages   int // that arrive
	}{
		{"40 datagrams", 40 * 1200, 1200, 1},
		{"last is shorter", 39*1200 + 700, 1200, 1},
		{"two", 1201, 1200, 1},
		{"most segments", 64 * 1000, 1000, 1},
		{"one segment too many", 64*1000 + 1, 1000, 2},
		{"more bytes than one send takes", MaxBatchBytes, 1285, 2},
		{"tiny datagrams", 300, 1, 5},
		{"half a batch each", MaxBatchBytes, 40000, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			client, server := pair(t)
			m := message(at(server, "127.0.0.1"), tt.n, tt.segSize)
			mustSend(t, client, m)
			got := receive(t, server, m.Datagrams())
			if !bytes.Equal(bytesOf(got), m.Buf[:m.N]) {
				t.Error("the bytes differ")
			}
			if len(got) != tt.messages {
				t.Errorf("%d messages, want %d", len(got), tt.messages)
			}
			if first := got[0]; first.SegSize != min(tt.segSize, first.N) {
				t.Errorf("SegSize %d, want %d", first.SegSize, tt.segSize)
			}
		})
	}
}

// TestSegmentsRefusedByPath has the kernel refuse segmentation for real: a
// socket that sends no checksums gets EINVAL.
func TestSegmentsRefusedByPath(t *testing.T) {
	client, server := pair(t)
	if err := (access{&client.socket}).Control(func(fd uintptr) {
		if err := unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_NO_CHECK, 1); err != nil {
			t.Error(err)
		}
	}); err != nil {
		t.Fatal(err)
	}
	m := message(at(server, "127.0.0.1"), 20*1000+1, 1000)
	mustSend(t, client, m)
	got := receive(t, server, 21)
	if len(got) != 21 || !bytes.Equal(bytesOf(got), m.Buf[:m.N]) {
		t.Errorf("got %d messages, want 21 single datagrams with the same bytes", len(got))
	}
	if !client.gso.on() {
		t.Error("a refusal that belongs to one path turned offload off for all")
	}
}

// device stands for a kernel that refuses segmentation with errno.
type device struct {
	errno    syscall.Errno
	broken   bool
	refusals int
}

func (d *device) send(fd int, hdrs []unix.Mmsghdr) (int, syscall.Errno) {
	for i := range hdrs {
		if d.broken && hdrs[i].Hdr.Controllen != 0 { // segment size is all these tests ask for
			if i > 0 {
				return sendmmsg(fd, hdrs[:i])
			}
			d.refusals++
			return 0, d.errno
		}
	}
	return sendmmsg(fd, hdrs)
}

func TestSegmentsRefusedByDevice(t *testing.T) {
	for _, errno := range []syscall.Errno{unix.EIO, unix.EOPNOTSUPP} {
		t.Run(fmt.Sprint(errno), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { refusedAndRecovered(t, errno) })
		})
	}
}

func refusedAndRecovered(t *testing.T, errno syscall.Errno) {
	client, server := pair(t)
	d := &device{errno: errno, broken: true}
	w := client.NewWriter(4)
	w.send = d.send
	write := func(wantMessages int) {
		t.Helper()
		ms := []Message{
			*message(at(server, "127.0.0.1"), 10, 0),
			*message(at(server, "127.0.0.1"), 5000, 1000),
			*message(at(server, "127.0.0.1"), 5000, 1000),
		}
		if err := w.WriteBatch(ms); err != nil {
			t.Fatal(err)
		}
		for i := range ms {
			if ms[i].Status != Sent || ms[i].Unsent != 0 {
				t.Errorf("message %d: %v, %d unsent", i, ms[i].Status, ms[i].Unsent)
			}
		}
		if got := receive(t, server, 11); !bytes.Equal(bytesOf(got), bytesOf(ms)) || len(got) != wantMessages {
			t.Errorf("got %d messages, want %d with the same bytes", len(got), wantMessages)
		}
	}

	write(11)
	time.Sleep(gsoPause - 1)
	write(11)
	if d.refusals != 1 {
		t.Errorf("offload was tried %d times within the pause, want once", d.refusals)
	}
	time.Sleep(time.Nanosecond)
	write(11)
	if d.refusals != 2 {
		t.Errorf("offload was tried %d times, want again after the pause", d.refusals)
	}
	d.broken = false
	time.Sleep(gsoPause)
	write(2) // the second and the third together
}

func TestWithoutOffload(t *testing.T) {
	client, server := pair(t)
	client.gso.found = false
	m := message(at(server, "127.0.0.1"), 5001, 1000)
	mustSend(t, client, m)
	if got := receive(t, server, 6); len(got) != 6 || !bytes.Equal(bytesOf(got), m.Buf[:m.N]) {
		t.Errorf("got %d messages, want 6 single datagrams with the same bytes", len(got))
	}
}

// TestFailureEndsItsOwnMessage refuses the third send of the batch, which is in
// the middle of the second message.
func TestFailureEndsItsOwnMessage(t *testing.T) {
	client, server := pair(t)
	calls := 0
	w := client.NewWriter(8)
	w.send = func(fd int, hdrs []unix.Mmsghdr) (int, syscall.Errno) {
		if calls++; calls == 3 {
			return 0, unix.ENOBUFS
		}
		return sendmmsg(fd, hdrs[:1])
	}
	to := at(server, "127.0.0.1")
	ms := []Message{*message(to, 10, 0), *message(to, 100*600, 600), *message(to, 20, 0)}
	ms[1].N += 601 // two sends: 64 datagrams, and 38
	if err := w.WriteBatch(ms); err != nil {
		t.Fatal(err)
	}
	for i, want := range []struct {
		status SendStatus
		unsent int
	}{{Sent, 0}, {NoBuffer, 38}, {Sent, 0}} {
		if ms[i].Status != want.status || ms[i].Unsent != want.unsent {
			t.Errorf("message %d: %v, %d unsent, want %v, %d", i, ms[i].Status, ms[i].Unsent, want.status, want.unsent)
		}
	}
	receive(t, server, 1+64+1)
}

// TestDeadlineInTheMiddleOfAMessage lets the send buffer be full after the first
// of the two sends that the first message takes.
func TestDeadlineInTheMiddleOfAMessage(t *testing.T) {
	client, server := pair(t)
	w := client.NewWriter(1)
	calls := 0
	w.send = func(fd int, hdrs []unix.Mmsghdr) (int, syscall.Errno) {
		if calls++; calls > 1 {
			return 0, unix.EAGAIN
		}
		return sendmmsg(fd, hdrs)
	}
	to := at(server, "127.0.0.1")
	ms := []Message{*message(to, 100*600, 600), *message(to, 3000, 1000)}
	if err := client.SetWriteDeadline(time.Now().Add(50 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	if err := w.WriteBatch(ms); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("WriteBatch = %v, want a time-out", err)
	}
	for i, unsent := range []int{100 - 64, 3} {
		if ms[i].Status != NoBuffer || ms[i].Unsent != unsent {
			t.Errorf("message %d: %v, %d unsent, want %v, %d", i, ms[i].Status, ms[i].Unsent, NoBuffer, unsent)
		}
	}
}

func TestECN(t *testing.T) {
	for _, f := range families {
		for ecn := range uint8(4) {
			t.Run(fmt.Sprintf("%s/%02b", f.name, ecn), func(t *testing.T) {
				client, server := listen(t, f.client, Config{}), listen(t, f.server, Config{})
				m := message(at(server, f.ip), 3000, 1000)
				m.ECN = ecn
				mustSend(t, client, m)
				for _, got := range receive(t, server, 3) {
					if got.ECN != ecn {
						t.Errorf("got ECN %02b", got.ECN)
					}
				}
			})
		}
	}
}

func TestAnswerLeavesFromTheAddressThatWasAsked(t *testing.T) {
	for _, tt := range []struct{ server, client, ip string }{
		{"0.0.0.0:0", "127.0.0.1:0", "127.0.0.2"},
		{"[::]:0", "127.0.0.1:0", "127.0.0.2"},
		{"[::]:0", "[::1]:0", "::1"},
	} {
		t.Run(tt.server+" asked at "+tt.ip, func(t *testing.T) {
			server, client := listen(t, tt.server, Config{}), listen(t, tt.client, Config{})
			mustSend(t, client, message(at(server, tt.ip), 10, 0))
			got := receive(t, server, 1)[0]
			if got.Path.Local.IP != at(server, tt.ip).IP || got.Path.Local.Interface == 0 {
				t.Fatalf("local side is %+v", got.Path.Local)
			}
			got.SegSize, got.ECN = 4, 2 // together with the other control messages
			mustSend(t, server, &got)
			for _, answer := range receive(t, client, 3) {
				if answer.Path.Remote != at(server, tt.ip) {
					t.Errorf("answer came from %v, want %v", answer.Path.Remote, at(server, tt.ip))
				}
				if answer.Path.Local != (Local{}) {
					t.Errorf("a socket bound to one address tells a local side: %+v", answer.Path.Local)
				}
			}
		})
	}
}

func TestBuffers(t *testing.T) {
	receive, send := listen(t, "127.0.0.1:0", Config{}).Granted()
	if receive == 0 || send == 0 {
		t.Fatalf("granted %d and %d bytes", receive, send)
	}
	want := max(receive, send) + 4096
	if unix.Geteuid() == 0 {
		want = 64 << 20 // past net.core.rmem_max
	}
	receive, send = listen(t, "127.0.0.1:0", Config{BufferBytes: want}).Granted()
	if receive < want && unix.Geteuid() != 0 {
		t.Skipf("net.core.rmem_max allows only %d bytes", receive)
	}
	if receive != want || send != want {
		t.Errorf("granted %d and %d bytes, want %d", receive, send, want)
	}
}

func TestReusePort(t *testing.T) {
	first := listen(t, "127.0.0.1:0", Config{ReusePort: true})
	second := listen(t, first.LocalAddr().String(), Config{ReusePort: true})
	if first.LocalAddr() != second.LocalAddr() {
		t.Errorf("%v and %v differ", first.LocalAddr(), second.LocalAddr())
	}
}

// TestShare: a port that others share is in use for who does not ask to share
// it, and a socket shares its own only when it says so.
func TestShare(t *testing.T) {
	first := listen(t, "127.0.0.1:0", Config{})
	taken := func(cfg Config) bool {
		c, err := Listen(first.LocalAddr(), cfg)
		if err == nil {
			t.Cleanup(func() { c.Close() })
		}
		return errors.Is(err, syscall.EADDRINUSE)
	}
	if !taken(Config{ReusePort: true}) {
		t.Error("it is shared before it says so")
	}
	if err := first.Share(); err != nil {
		t.Fatal(err)
	}
	if taken(Config{ReusePort: true}) {
		t.Error("it is not shared")
	}
	if !taken(Config{}) {
		t.Error("another program can take it for itself")
	}
}

// TestShareSpreads: the first socket gets its part, though it has joined late.
func TestShareSpreads(t *testing.T) {
	first := listen(t, "127.0.0.1:0", Config{})
	if err := first.Share(); err != nil {
		t.Fatal(err)
	}
	second := listen(t, first.LocalAddr().String(), Config{ReusePort: true})
	const sources = 64 // all on one side: once in 2^63 runs
	for range sources {
		mustSend(t, listen(t, "127.0.0.1:0", Config{}), message(at(first, "127.0.0.1"), 10, 0))
	}
	receive(t, first, 1)
	receive(t, second, 1)
}

func TestBatchesDoNotAllocate(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	server, client := listen(t, "[::]:0", Config{}), listen(t, "127.0.0.1:0", Config{})
	to := at(server, "127.0.0.1")
	out := []Message{*message(to, 3000, 1000), *message(to, 10, 0), *message(to, MaxBatchBytes, 0), *message(to, 20, 0)}
	out[0].ECN = 1
	in := NewBatch(8)
	w, back, r, end := client.NewWriter(8), server.NewWriter(8), server.NewReader(8), client.NewReader(8)
	if err := server.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	pass := func(r *Reader, w *Writer) {
		if n, err := r.ReadBatch(in); err != nil || n < 3 {
			t.Fatalf("ReadBatch = %d, %v", n, err)
		}
		if err := w.WriteBatch(in[:3]); err != nil {
			t.Fatal(err)
		}
	}
	if allocs := testing.AllocsPerRun(100, func() {
		if err := w.WriteBatch(out); err != nil || out[2].Status != TooBig {
			t.Fatalf("%v, %v", err, out[2].Status)
		}
		pass(r, back)
		if n, err := end.ReadBatch(in); err != nil || n != 3 {
			t.Fatalf("ReadBatch = %d, %v", n, err)
		}
	}); allocs != 0 {
		t.Errorf("%v allocations for two ways", allocs)
	}
}
