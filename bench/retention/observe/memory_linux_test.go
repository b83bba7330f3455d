package observe

import (
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/lethe-relay/lethe/bench/retention/canary"
)

// TestMemory: what a process keeps on its heap is found, counted and placed; before,
// there is nothing. That the process may not be dumped doesn't hide it.
func TestMemory(t *testing.T) {
	c, k := startChild(t), canary.NewKey()
	c.do("undumpable")
	f := canary.NewFinder(canary.Sought{Key: k})
	m := NewMemory(NewGroup(c.pid()))
	scan := func() canary.Found {
		t.Helper()
		copied, err := m.Snapshot()
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%d bytes of %d mappings copied in %v", copied.Bytes, copied.Mappings, copied.Took)
		return m.Scan(f)
	}
	if found := scan(); found.Any() {
		t.Fatalf("found before anything was planted: %+v", found)
	}
	c.do("heap", payload(k, 100))
	found := scan()
	if found.Canaries < 100 {
		t.Errorf("100 blocks were planted, %d found", found.Canaries)
	}
	if p := found.Places[0]; !strings.Contains(p.In, "anonymous memory at 0x") && !strings.Contains(p.In, "[anon: Go") {
		t.Errorf("place: %v", p)
	}
	if r := m.Result(); len(r.Findings)+len(r.NotChecked) > 0 {
		t.Errorf("%+v", r)
	}
	r := PacketMemory(NewGroup(c.pid()), found)
	if len(r.Findings) == 0 || len(r.NotChecked) > 0 {
		t.Errorf("the heap is said to be locked and kept out of dumps: %+v", r)
	}
}

// TestMemoryOfNobody: a process that is gone is an error, not a clean result.
func TestMemoryOfNobody(t *testing.T) {
	c := startChild(t)
	g := NewGroup(c.pid())
	c.end()
	if _, err := NewMemory(g).Snapshot(); err == nil {
		t.Error("the memory of a dead process was read")
	}
}

// TestPages: only pages that hold something are read, whichever way the kernel tells.
func TestPages(t *testing.T) {
	const size = 64 << 20
	b, err := unix.Mmap(-1, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Munmap(b)
	if err := unix.Madvise(b, unix.MADV_NOHUGEPAGE); err != nil {
		t.Fatal(err)
	}
	page := uint64(unix.Getpagesize())
	for _, at := range []uint64{3, 4, 9, size/page - 1} {
		b[at*page] = 1
	}
	p, err := openPages(unix.Getpid())
	if err != nil {
		t.Skip("/proc/self/pagemap can't be opened: ", err)
	}
	defer p.file.Close()
	from := addressOf(b)
	for name, in := range map[string]func(span) ([]span, error){"scan": p.in, "by page": p.inByPage} {
		spans, err := in(span{from, from + size})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		want := []span{{3, 5}, {9, 10}, {size/page - 1, size / page}}
		if len(spans) != len(want) {
			t.Fatalf("%s: %v", name, spans)
		}
		for i, s := range spans {
			if s.from != from+want[i].from*page || s.to != from+want[i].to*page {
				t.Errorf("%s: span %d is %#x to %#x", name, i, s.from-from, s.to-from)
			}
		}
	}
}

// BenchmarkSnapshot tells how long a process of 150 MB is copied for, and looked through.
func BenchmarkSnapshot(b *testing.B) {
	c := startChild(b)
	c.do("fill", "150")
	m := NewMemory(NewGroup(c.pid()))
	copied, err := m.Snapshot() // makes room
	if err != nil {
		b.Fatal(err)
	}
	b.Run("copy", func(b *testing.B) {
		for b.Loop() {
			if copied, err = m.Snapshot(); err != nil {
				b.Fatal(err)
			}
		}
		b.SetBytes(copied.Bytes)
	})
	b.Run("scan", func(b *testing.B) {
		f := canary.NewFinder(canary.Sought{Key: canary.NewKey()})
		for b.Loop() {
			m.Scan(f)
		}
		b.SetBytes(copied.Bytes)
	})
}
