package packetmem

import (
	"errors"
	"os"
	"strings"
	"testing"
	"unsafe"
)

func newMemory(t *testing.T, bytes int) *Memory {
	t.Helper()
	m, err := New(bytes)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	})
	return m
}

func take(t *testing.T, m *Memory, n int) []byte {
	t.Helper()
	b, err := m.Take(n)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestTake(t *testing.T) {
	page := os.Getpagesize()
	m := newMemory(t, 4*page)
	first, second := take(t, m, page+1), take(t, m, 2*page)
	for i, b := range [][]byte{first, second} {
		if at := uintptr(unsafe.Pointer(&b[0])); at%uintptr(page) != 0 {
			t.Errorf("buffer %d begins at %x, which is not the start of a page", i, at)
		}
		if len(b) != cap(b) {
			t.Errorf("buffer %d: len %d, cap %d", i, len(b), cap(b))
		}
		for at := range b {
			if b[at] != 0 {
				t.Fatalf("buffer %d is not zero at %d", i, at)
			}
			b[at] = byte(i + 1)
		}
	}
	if first[page] != 1 || second[0] != 2 {
		t.Error("the buffers lie upon each other")
	}
}

// TestTakeExhausted: what is not there is an error that names the numbers, and
// takes nothing.
func TestTakeExhausted(t *testing.T) {
	page := os.Getpagesize()
	m := newMemory(t, 2*page)
	take(t, m, 1)
	for _, n := range []int{page + 1, 1 << 30, -1} {
		if _, err := m.Take(n); err == nil || !strings.Contains(err.Error(), "are left: make it larger") {
			t.Errorf("Take(%d) = %v", n, err)
		}
	}
	if b := take(t, m, page); len(b) != page {
		t.Errorf("the last page has %d bytes", len(b))
	}
	if _, err := m.Take(1); err == nil {
		t.Error("a byte was taken out of nothing")
	}
}

func TestTakeAfterClose(t *testing.T) {
	m := newMemory(t, 1)
	size := m.Bytes()
	for range 2 {
		if err := m.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := m.Take(1); !errors.Is(err, os.ErrClosed) {
		t.Errorf("Take = %v, want ErrClosed", err)
	}
	if m.Bytes() != size || size < 1 {
		t.Errorf("Bytes() = %d, before %d", m.Bytes(), size)
	}
}
