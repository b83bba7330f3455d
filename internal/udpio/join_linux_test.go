package udpio

import (
	"bytes"
	"slices"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// TestJoin: messages that go on where the one before ends leave together, and
// no others do. Whatever is joined, the same datagrams arrive.
func TestJoin(t *testing.T) {
	for _, tt := range []struct {
		name     string
		messages [][2]int // bytes and segment size
		arrive   []int    // bytes of each message that arrives
	}{
		{"runs", [][2]int{{14 * 1452, 1452}, {14 * 1452, 1452}, {14 * 1452, 1452}}, []int{42 * 1452}},
		{"single datagrams", [][2]int{{100, 0}, {100, 0}, {100, 0}}, []int{300}},
		{"single datagrams, told as one of N", [][2]int{{100, 100}, {100, 100}}, []int{200}},
		{"a run that ends short", [][2]int{{3000, 1000}, {2500, 1000}}, []int{5500}},
		{"after a short end", [][2]int{{2500, 1000}, {3000, 1000}}, []int{2500, 3000}},
		{"a short datagram as the end", [][2]int{{3000, 1000}, {10, 0}}, []int{3010}},
		{"a short datagram between", [][2]int{{3000, 1000}, {10, 0}, {3000, 1000}}, []int{3010, 3000}},
		{"a longer datagram", [][2]int{{10, 0}, {11, 0}}, []int{10, 11}},
		{"other sizes", [][2]int{{3000, 1000}, {3000, 999}}, []int{3000, 3000}},
		{"too many datagrams", [][2]int{{30 * 500, 500}, {34 * 500, 500}, {500, 0}}, []int{64 * 500, 500}},
		{"too many bytes", [][2]int{{20000, 2000}, {20000, 2000}, {20000, 2000}, {20000, 2000}}, []int{60000, 20000}},
		{"one that is cut, and the next", [][2]int{{66 * 600, 600}, {1200, 600}}, []int{64 * 600, 4 * 600}},
		{"empty datagrams", [][2]int{{0, 0}, {10, 0}, {0, 0}, {10, 0}}, []int{0, 10, 0, 10}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			client, server := pair(t)
			var ms []Message
			datagrams := 0
			for i, m := range tt.messages {
				ms = append(ms, *message(at(server, "127.0.0.1"), m[0], m[1]))
				for j := range m[0] {
					ms[i].Buf[j] += byte(i) // not what the other messages hold
				}
				datagrams += ms[i].Datagrams()
			}
			if err := client.NewWriter(8).WriteBatch(ms); err != nil {
				t.Fatal(err)
			}
			got := receive(t, server, datagrams)
			if !bytes.Equal(bytesOf(got), bytesOf(ms)) {
				t.Error("the bytes differ")
			}
			var arrived []int
			for i := range got {
				arrived = append(arrived, got[i].N)
			}
			if !slices.Equal(arrived, tt.arrive) {
				t.Errorf("messages of %d bytes arrive, want %d", arrived, tt.arrive)
			}
		})
	}
}

// TestNotJoined: what differs in path or ECN bits leaves apart.
func TestNotJoined(t *testing.T) {
	client, server := pair(t)
	_, other := pair(t)
	ms := []Message{
		*message(at(server, "127.0.0.1"), 2000, 1000),
		*message(at(other, "127.0.0.1"), 2000, 1000),
		*message(at(server, "127.0.0.1"), 2000, 1000),
		*message(at(server, "127.0.0.1"), 2000, 1000),
	}
	ms[3].ECN = 3
	if err := client.NewWriter(8).WriteBatch(ms); err != nil {
		t.Fatal(err)
	}
	if got := receive(t, other, 2); len(got) != 1 {
		t.Errorf("%d messages at the other path", len(got))
	}
	if got := receive(t, server, 6); len(got) != 3 || got[1].ECN != 0 || got[2].ECN != 3 {
		t.Errorf("%d messages, want three, the last with ECN", len(got))
	}
}

// TestJoinedRefused: when the kernel refuses what was joined, each message is
// tried by itself and has a status of its own.
func TestJoinedRefused(t *testing.T) {
	client, server := pair(t)
	to := at(server, "127.0.0.1")
	ms := []Message{*message(to, 2000, 1000), *message(to, 3000, 1000), *message(to, 2000, 1000)}
	w := client.NewWriter(8)
	w.send = func(fd int, hdrs []unix.Mmsghdr) (int, syscall.Errno) {
		if h := &hdrs[0].Hdr; h.Iovlen > 1 || h.Iov.Len == 3000 {
			return 0, unix.ENOBUFS
		}
		return sendmmsg(fd, hdrs[:1])
	}
	if err := w.WriteBatch(ms); err != nil {
		t.Fatal(err)
	}
	for i, want := range []struct {
		status SendStatus
		unsent int
	}{{Sent, 0}, {NoBuffer, 3}, {Sent, 0}} {
		if ms[i].Status != want.status || ms[i].Unsent != want.unsent {
			t.Errorf("message %d: %v, %d unsent, want %v, %d", i, ms[i].Status, ms[i].Unsent, want.status, want.unsent)
		}
	}
	receive(t, server, 4)
}
