package forward

import (
	"fmt"
	"testing"

	"github.com/lethe-relay/lethe/internal/udpio"
)

func BenchmarkTableGet(b *testing.B) {
	for _, legs := range []int{10, 1_000, 10_000} {
		b.Run(fmt.Sprintf("legs=%d", legs), func(b *testing.B) {
			table := newAddrTable(legs)
			addrs := make([]udpio.Addr, legs)
			for i := range addrs {
				addrs[i] = address(i)
				table.put(addrs[i], &Leg{})
			}
			i := 0
			b.ReportAllocs()
			for b.Loop() {
				if table.get(&addrs[i]) == nil {
					b.Fatal("lost")
				}
				if i++; i == legs {
					i = 0
				}
			}
		})
	}
}

// BenchmarkRoute is the relay's own work, without the system calls.
func BenchmarkRoute(b *testing.B) {
	for _, bb := range []struct {
		name                 string
		messages, n, segSize int
		bound                func(bench)
	}{
		{"one run of 64 KiB", 1, 53 * 1200, 1200, func(bench) {}},
		{"16 single datagrams", 16, 1200, 1200, func(bench) {}},
		{"16 single datagrams at a rate", 16, 1200, 1200, func(b bench) {
			b.atRate(1, 1<<40)
			b.l.bounds.line = 1 << 60
		}},
		{"16 single datagrams in overload", 16, 1200, 1200, func(b bench) {
			b.overload()
			b.l.share.line, b.l.share.perStep = 1<<60, 1<<60
		}},
	} {
		b.Run(bb.name, func(b *testing.B) {
			bench := newBench(b)
			bb.bound(bench)
			in := udpio.NewBatch(bb.messages)
			for i := range in {
				in[i].N, in[i].SegSize = copy(in[i].Buf, payload(bb.n, bb.segSize)), bb.segSize
			}
			b.SetBytes(int64(bb.messages * bb.n))
			b.ReportAllocs()
			for b.Loop() {
				for i := range in {
					in[i].Path.Remote = address(benchDevice)
				}
				if len(bench.l.route(in)) != bb.messages {
					b.Fatal("dropped")
				}
			}
		})
	}
}

// BenchmarkWipe is what a loop does ten times a second while anything comes in.
func BenchmarkWipe(b *testing.B) {
	bench := newBench(b)
	b.SetBytes(loopBytes)
	b.ReportAllocs()
	for b.Loop() {
		bench.l.wipe()
	}
}
