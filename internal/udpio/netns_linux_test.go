package udpio

import (
	"bytes"
	"errors"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// enterNamespace moves the test into a network namespace of its own, in which it
// can set up devices. The thread it is on ends with the test.
func enterNamespace(t *testing.T) {
	t.Helper()
	if unix.Geteuid() != 0 {
		t.Skip("making a network namespace needs root")
	}
	runtime.LockOSThread() // and never unlock: the thread is not fit for other use
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		t.Skipf("no network namespaces here: %v", err)
	}
}

// run runs commands of iproute2 in the namespace of the thread.
func run(t *testing.T, commands ...[]string) {
	t.Helper()
	for _, c := range commands {
		if _, err := exec.LookPath(c[0]); err != nil {
			t.Skipf("iproute2 is not installed: %v", err)
		}
		if out, err := exec.Command(c[0], c[1:]...).CombinedOutput(); err != nil {
			t.Fatalf("%v: %v: %s", c, err, out)
		}
	}
}

// smallLoopback brings up the loopback device with the MTU of an Ethernet.
func smallLoopback(t *testing.T) {
	run(t, []string{"ip", "link", "set", "lo", "mtu", "1500", "up"})
}

func TestNamespaceTooBig(t *testing.T) {
	for _, f := range families {
		t.Run(f.name, func(t *testing.T) {
			enterNamespace(t)
			smallLoopback(t)
			client, server := listen(t, f.client, Config{}), listen(t, f.server, Config{})
			headers := 28
			if f.ip == "::1" {
				headers = 48
			}
			to := at(server, f.ip)
			ms := []Message{*message(to, 1500-headers, 0), *message(to, 1500-headers+1, 0), *message(to, 7, 0)}
			if err := client.NewWriter(8).WriteBatch(ms); err != nil {
				t.Fatal(err)
			}
			for i, want := range []SendStatus{Sent, TooBig, Sent} {
				if ms[i].Status != want || (ms[i].Unsent != 0) != (want == TooBig) {
					t.Errorf("message %d: %v, %d unsent, want %v", i, ms[i].Status, ms[i].Unsent, want)
				}
			}
			if got := receive(t, server, 2); got[0].N != 1500-headers || got[1].N != 7 {
				t.Error("received what was too big, or not what fits")
			}
		})
	}
}

func TestNamespaceSegmentsTooBig(t *testing.T) {
	enterNamespace(t)
	smallLoopback(t)
	client, server := pair(t)
	to := at(server, "127.0.0.1")
	ms := []Message{
		*message(to, 5*2000, 2000),     // none fits
		*message(to, 5*2000+300, 2000), // only the last fits
		*message(to, 2000+1999, 2000),  // the last is shorter, and too big
		*message(to, 5*1200, 1200),     // all fit
	}
	sends := countSends(client.NewWriter(8))
	if err := sends.writer.WriteBatch(ms); err != nil {
		t.Fatal(err)
	}
	for i, want := range []struct {
		status SendStatus
		unsent int
	}{{TooBig, 5}, {TooBig, 5}, {TooBig, 2}, {Sent, 0}} {
		if ms[i].Status != want.status || ms[i].Unsent != want.unsent {
			t.Errorf("message %d: %v, %d unsent, want %v, %d", i, ms[i].Status, ms[i].Unsent, want.status, want.unsent)
		}
	}
	if sends.count > 10 {
		t.Errorf("%d system calls for four messages", sends.count)
	}
	fits := append(bytes.Clone(ms[1].Buf[5*2000:ms[1].N]), bytesOf(ms[3:])...)
	if got := receive(t, server, 6); !bytes.Equal(bytesOf(got), fits) {
		t.Error("not all that fits was received")
	}
	if !client.gso.on() {
		t.Error("a path with a small MTU turned offload off for all")
	}
}

type sendCounter struct {
	writer *Writer
	count  int
}

func countSends(w *Writer) *sendCounter {
	s := &sendCounter{writer: w}
	kernel := w.send
	w.send = func(fd int, hdrs []unix.Mmsghdr) (int, syscall.Errno) {
		s.count++
		return kernel(fd, hdrs)
	}
	return s
}

func TestNamespaceUnreachable(t *testing.T) {
	enterNamespace(t)
	smallLoopback(t)
	for _, f := range []struct{ listen, to string }{
		{"0.0.0.0:0", "192.0.2.1:9"}, {"[::]:0", "192.0.2.1:9"}, {"[::]:0", "[2001:db8::1]:9"},
	} {
		m := message(AddrFrom(netip.MustParseAddrPort(f.to)), 30, 10)
		got := send(t, listen(t, f.listen, Config{}), m)
		if got.Status != Unreachable || got.Unsent != 3 {
			t.Errorf("to %s: %v, %d unsent, want %v, 3", f.to, got.Status, got.Unsent, Unreachable)
		}
	}
}

// TestNamespaceLinkLocal sends over a veth pair with link-local addresses, which
// mean nothing without the interface.
func TestNamespaceLinkLocal(t *testing.T) {
	enterNamespace(t)
	smallLoopback(t)
	run(t,
		[]string{"ip", "link", "add", "left", "type", "veth", "peer", "name", "right"},
		[]string{"ip", "addr", "add", "fe80::1/64", "dev", "left", "nodad"},
		[]string{"ip", "addr", "add", "fe80::2/64", "dev", "right", "nodad"},
		[]string{"ip", "link", "set", "left", "up"},
		[]string{"ip", "link", "set", "right", "up"})
	server := listen(t, "[::]:0", Config{})
	for _, addr := range []string{"[fe80::1%left]:0", "[::]:0"} {
		client := listen(t, addr, Config{})
		mustSend(t, client, message(at(server, "fe80::2%left"), 10, 0))
		got := receive(t, server, 1)[0]
		if got.Path.Remote != at(client, "fe80::1%right") || got.Path.Local.Interface != got.Path.Remote.Scope {
			t.Fatalf("from %s: came by %+v", addr, got.Path)
		}
		mustSend(t, server, &got)
		if answer := receive(t, client, 1)[0]; answer.Path.Remote != at(server, "fe80::2%left") {
			t.Errorf("to %s: answer came from %v", addr, answer.Path.Remote)
		}
	}
}

// slowLink makes a device that takes 1 MB/s, and a neighbour behind it that
// does not exist.
func slowLink(t *testing.T) (neighbour Addr) {
	run(t,
		[]string{"ip", "link", "add", "left", "type", "veth", "peer", "name", "right"},
		[]string{"ip", "addr", "add", "198.51.100.1/24", "dev", "left"},
		[]string{"ip", "link", "set", "left", "up"},
		[]string{"ip", "link", "set", "right", "up"},
		[]string{"ip", "neigh", "add", "198.51.100.2", "lladdr", "02:00:00:00:00:02", "dev", "left"},
		[]string{"tc", "qdisc", "add", "dev", "left", "root", "tbf", "rate", "8mbit", "burst", "8k", "limit", "16m"})
	return AddrFrom(netip.MustParseAddrPort("198.51.100.2:9"))
}

func TestNamespaceFullSendBuffer(t *testing.T) {
	enterNamespace(t)
	to := slowLink(t)
	c := listen(t, "198.51.100.1:0", Config{})
	ms := make([]Message, 8) // 400 kB, twice the default send buffer
	for i := range ms {
		ms[i] = *message(to, 50*1000, 1000)
	}
	w := countSends(c.NewWriter(8))
	if err := w.writer.WriteBatch(ms); err != nil {
		t.Fatal(err)
	}
	for i := range ms {
		if ms[i].Status != Sent || ms[i].Unsent != 0 {
			t.Errorf("message %d: %v, %d unsent", i, ms[i].Status, ms[i].Unsent)
		}
	}
	if w.count == 1 {
		t.Error("one system call took it all: the send buffer was never full")
	}
}

func TestNamespaceWriteDeadline(t *testing.T) {
	enterNamespace(t)
	to := slowLink(t)
	c := listen(t, "198.51.100.1:0", Config{})
	ms := make([]Message, 100) // 5 MB, five seconds
	for i := range ms {
		ms[i] = *message(to, 50*1000, 1000)
	}
	if err := c.SetWriteDeadline(time.Now().Add(300 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	err := c.NewWriter(8).WriteBatch(ms)
	first, last := ms[0], ms[len(ms)-1]
	if !errors.Is(err, os.ErrDeadlineExceeded) || first.Status != Sent || last.Status != NoBuffer || last.Unsent != 50 {
		t.Errorf("WriteBatch = %v; first message %v, last %v with %d unsent", err, first.Status, last.Status, last.Unsent)
	}
}
