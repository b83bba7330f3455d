package udpio

import (
	"bytes"
	"slices"
	"testing"
)

func TestSegments(t *testing.T) {
	for _, tt := range []struct {
		name       string
		n, segSize int
		want       []int
	}{
		{"one", 100, 100, []int{100}},
		{"one, size not given", 100, 0, []int{100}},
		{"one, size larger", 100, 200, []int{100}},
		{"one, size negative", 100, -1, []int{100}},
		{"empty", 0, 0, []int{0}},
		{"empty, size given", 0, 10, []int{0}},
		{"equal", 30, 10, []int{10, 10, 10}},
		{"last is shorter", 21, 10, []int{10, 10, 1}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := &NewBatch(1)[0]
			m.N, m.SegSize = tt.n, tt.segSize
			fill(m)
			var sizes []int
			var joined []byte
			for s := range m.Segments() {
				sizes = append(sizes, len(s))
				joined = append(joined, s...)
			}
			if !slices.Equal(sizes, tt.want) || !bytes.Equal(joined, m.Buf[:m.N]) {
				t.Errorf("sizes %v, want %v, or the bytes differ", sizes, tt.want)
			}
			if m.Datagrams() != len(tt.want) {
				t.Errorf("Datagrams() = %d, want %d", m.Datagrams(), len(tt.want))
			}
		})
	}
}

func TestSegmentsDoNotReachIntoEachOther(t *testing.T) {
	m := &NewBatch(1)[0]
	m.N, m.SegSize = 20, 10
	for s := range m.Segments() {
		_ = append(s, 0xff)
		break // and stopping early is allowed
	}
	if m.Buf[10] == 0xff {
		t.Error("appending to the first datagram overwrote the second")
	}
}

func TestSegmentsDoesNotAllocate(t *testing.T) {
	m := &NewBatch(1)[0]
	m.N, m.SegSize = 30, 10
	total := 0
	if allocs := testing.AllocsPerRun(100, func() {
		for s := range m.Segments() {
			total += len(s)
		}
	}); allocs != 0 {
		t.Errorf("%v allocations per loop", allocs)
	}
}

func TestNewBatchBuffersAreSeparate(t *testing.T) {
	ms := NewBatch(3)
	for i := range ms {
		if len(ms[i].Buf) != MaxBatchBytes || cap(ms[i].Buf) != MaxBatchBytes {
			t.Errorf("buffer %d: len %d, cap %d, want %d", i, len(ms[i].Buf), cap(ms[i].Buf), MaxBatchBytes)
		}
	}
}

// fill writes bytes that differ from datagram to datagram.
func fill(m *Message) {
	for i := range m.Buf[:m.N] {
		m.Buf[i] = byte(i*7 + i>>8)
	}
}
