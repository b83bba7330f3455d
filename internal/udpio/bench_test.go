package udpio

import (
	"fmt"
	"testing"
)

// BenchmarkForward is what a relay does: read from one socket, change the path,
// write to the next. Sender and receiver run in the same goroutine and are part
// of the figure.
func BenchmarkForward(b *testing.B) {
	const segSize = 1200
	sender, relay, receiver := listen(b, "127.0.0.1:0", Config{}), listen(b, "127.0.0.1:0", Config{}), listen(b, "127.0.0.1:0", Config{})
	out := []Message{*message(at(relay, "127.0.0.1"), 53*segSize, segSize)}
	send, forward := sender.NewWriter(1), relay.NewWriter(8)
	arrive, end := relay.NewReader(8), receiver.NewReader(8)
	in, sink := NewBatch(8), NewBatch(8)
	b.SetBytes(int64(out[0].N))
	b.ReportAllocs()
	for b.Loop() {
		write(b, send, out)
		for left := out[0].N; left > 0; {
			n := read(b, arrive, in)
			for i := range in[:n] {
				in[i].Path = Path{Remote: at(receiver, "127.0.0.1")}
				left -= in[i].N
			}
			write(b, forward, in[:n])
		}
		drain(b, end, sink, out[0].N)
	}
}

// BenchmarkSingles moves datagrams that cannot be joined, so many per call.
func BenchmarkSingles(b *testing.B) {
	const size = 1200
	for _, batch := range []int{1, 8, 32} {
		b.Run(fmt.Sprintf("batch=%d", batch), func(b *testing.B) {
			sender, receiver := listen(b, "127.0.0.1:0", Config{}), listen(b, "127.0.0.1:0", Config{})
			out, in := NewBatch(batch), NewBatch(batch)
			for i := range out {
				out[i].N, out[i].Path.Remote = size, at(receiver, "127.0.0.1")
			}
			w, r := sender.NewWriter(batch), receiver.NewReader(batch)
			b.SetBytes(int64(batch * size))
			b.ReportAllocs()
			for b.Loop() {
				write(b, w, out)
				drain(b, r, in, batch*size)
			}
		})
	}
}

func write(b *testing.B, w *Writer, ms []Message) {
	if err := w.WriteBatch(ms); err != nil || ms[0].Status != Sent {
		b.Fatalf("%v, %v", err, ms[0].Status)
	}
}

func read(b *testing.B, r *Reader, ms []Message) int {
	n, err := r.ReadBatch(ms)
	if err != nil {
		b.Fatal(err)
	}
	return n
}

// drain reads so many bytes.
func drain(b *testing.B, r *Reader, ms []Message, left int) {
	for left > 0 {
		for _, m := range ms[:read(b, r, ms)] {
			left -= m.N
		}
	}
}
