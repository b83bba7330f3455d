package udpio

import (
	"bytes"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// holds tells whether the vector has any byte of an address, a control message
// or a buffer.
func (v *vector) holds() bool {
	for i := range v.names {
		if v.names[i] != (sockaddr{}) || v.iovs[i] != (unix.Iovec{}) {
			return true
		}
	}
	for _, c := range v.controls {
		if !bytes.Equal(c, make([]byte, len(c))) {
			return true
		}
	}
	return false
}

// TestWipe: nothing of a call is left in the memory of Reader and Writer, and
// both work afterwards as before.
func TestWipe(t *testing.T) {
	client, server := listen(t, "127.0.0.1:0", Config{}), listen(t, "0.0.0.0:0", Config{})
	w, r := client.NewWriter(4), server.NewReader(4)
	in := NewBatch(4)
	out := []Message{*message(at(server, "127.0.0.2"), 3000, 1000), *message(at(server, "127.0.0.3"), 10, 10)}
	for i := range out {
		out[i].ECN = 1
	}
	for round := range 2 {
		if err := w.WriteBatch(out); err != nil || out[0].Status != Sent {
			t.Fatal(err, out[0].Status)
		}
		got := 0
		for got < 3010 {
			n, err := r.ReadBatch(in)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range in[:n] {
				got += m.N
				if m.Path.Remote != at(client, "127.0.0.1") || m.Path.Local.IP[12] != 127 || m.ECN != 1 {
					t.Fatalf("round %d: %+v of %v", round, m.Path, m.ECN)
				}
			}
		}
		if !w.vector.holds() || !r.vector.holds() {
			t.Fatal("nothing is held before the wipe: the test looks at the wrong place")
		}
		w.Wipe()
		r.Wipe()
		if w.vector.holds() || r.vector.holds() {
			t.Errorf("round %d: addresses are held after the wipe", round)
		}
		for _, p := range w.parts {
			if p != (part{}) {
				t.Errorf("round %d: the writer remembers what it has sent", round)
			}
		}
	}
}

func TestForget(t *testing.T) {
	ms := NewBatch(2)
	for i := range ms {
		ms[i].N, ms[i].SegSize, ms[i].ECN, ms[i].Status, ms[i].Unsent = 5, 3, 2, Failed, 1
		ms[i].Path = Path{Remote: Addr{Port: 9}, Local: Local{Interface: 3}}
		ms[i].Buf[0] = byte(i + 1)
	}
	Forget(ms)
	for i := range ms {
		m := ms[i]
		if len(m.Buf) != MaxBatchBytes || m.Buf[0] != byte(i+1) {
			t.Errorf("message %d: its buffer is another", i)
		}
		if m.N != 0 || m.SegSize != 0 || m.ECN != 0 || m.Status != Sent || m.Unsent != 0 || m.Path != (Path{}) {
			t.Errorf("message %d: %+v is left", i, m.Path)
		}
	}
}

// TestBatchIn: messages are cut from the caller's memory, and from nowhere else.
func TestBatchIn(t *testing.T) {
	memory := make([]byte, 2*MessageBytes+5)
	ms := BatchIn(memory)
	if len(ms) != 2 {
		t.Fatalf("%d messages, want 2", len(ms))
	}
	for i := range ms {
		if unsafe.SliceData(ms[i].Buf) != &memory[i*MessageBytes] || len(ms[i].Buf) != MaxBatchBytes || cap(ms[i].Buf) != MaxBatchBytes {
			t.Errorf("message %d: len %d, cap %d, or not its part of the memory", i, len(ms[i].Buf), cap(ms[i].Buf))
		}
	}
}
