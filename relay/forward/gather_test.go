package forward

import (
	"slices"
	"testing"

	"github.com/lethe-relay/lethe/internal/udpio"
)

// TestGather: messages that go the same way come to stand together, in the
// order in which they came. Letters are ways, N tells messages apart.
func TestGather(t *testing.T) {
	for _, tt := range []struct {
		in   string
		want []int
	}{
		{"", nil},
		{"a", []int{0}},
		{"aaa", []int{0, 1, 2}},
		{"aba", []int{0, 2, 1}},
		{"abab", []int{0, 2, 1, 3}},
		{"abcabc", []int{0, 3, 1, 4, 2, 5}},
		{"abbbaab", []int{0, 4, 5, 1, 2, 3, 6}},
	} {
		var out []udpio.Message
		for i, way := range tt.in {
			out = append(out, udpio.Message{N: i, Path: udpio.Path{Remote: udpio.Addr{Port: uint16(way)}}})
			gather(out)
		}
		var got []int
		for i := range out {
			got = append(got, out[i].N)
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%q: got %v, want %v", tt.in, got, tt.want)
		}
	}
}
