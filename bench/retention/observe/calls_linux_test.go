package observe

import (
	"context"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/elastic/go-seccomp-bpf/arch"
)

// traced runs do again and again while calls are traced.
func traced(t *testing.T, c *child, do func()) Result {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := make(chan Result, 1)
	go func() { done <- TraceCalls(ctx, NewGroup(c.pid()), time.Minute) }()
	ticker := time.NewTicker(50 * time.Millisecond)
	defer ticker.Stop()
	for range 20 {
		<-ticker.C
		do()
	}
	cancel()
	return <-done
}

func TestTraceCalls(t *testing.T) {
	for name, want := range map[string]string{
		"file":               "open for writing",
		"memfd":              "memfd_create",
		"shared":             "mmap of shared memory",
		"spawn":              "clone of a process",
		"udp 127.0.0.1:9":    "socket",
		"print nothing":      "",
		"read /proc/version": "",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := startChild(t)
			r := traced(t, c, func() { c.do(name) })
			var all []string
			for _, f := range r.Findings {
				all = append(all, f.What)
			}
			if got := strings.Join(all, "\n"); want == "" && got != "" || !strings.Contains(got, want) || len(r.NotChecked) > 0 {
				t.Errorf("found %q, want %q; not checked: %v", got, want, r.NotChecked)
			}
		})
	}
}

// TestTraceNobody: of a process that has ended nothing is traced, and not all of the machine instead.
func TestTraceNobody(t *testing.T) {
	gone := exec.Command("true")
	if err := gone.Run(); err != nil {
		t.Fatal(err)
	}
	r := TraceCalls(t.Context(), NewGroup(gone.Process.Pid), 300*time.Millisecond)
	if len(r.Findings) > 0 || len(r.Notes) > 0 || len(r.NotChecked) == 0 || !strings.Contains(r.NotChecked[0].Why, "has ended") {
		t.Errorf("%+v", r)
	}
}

// TestParseTrace: refused calls are told from those that succeed, of threads that interleave.
func TestParseTrace(t *testing.T) {
	info, err := arch.GetInfo("x86_64")
	if err != nil {
		t.Fatal(err)
	}
	const text = `# tracer: nop
 my relay-1-17      [001] d..2.   1.0: sys_enter: NR 257 (ffffff9c, c000, 241, 1a4, 0, 0)
 my relay-1-18      [000] d..2.   1.0: sys_enter: NR 9 (0, 1000, 3, 22, ffffffff, 0)
 my relay-1-17      [001] d..2.   1.0: sys_exit: NR 257 = -13
 my relay-1-18      [000] d..2.   1.0: sys_exit: NR 9 = 139637976727552
 my relay-1-18      [000] d..2.   1.0: sys_enter: NR 9 (0, 1000, 3, 1, 5, 0)
 my relay-1-18      [000] d..2.   1.0: sys_exit: NR 9 = 139637976727552
 my relay-1-18      [000] d..2.   1.0: sys_enter: NR 9999 (0, 0, 0, 0, 0, 0)
 my relay-1-18      [000] d..2.   1.0: sys_exit: NR 9999 = -38
 my relay-1-19      [000] d..2.   1.0: sys_exit: NR 41 = 3
`
	tally := tallyOf(parseTrace(text, info))
	if o := tally["open for writing"]; o.done != 0 || o.refused["EACCES"] != 1 {
		t.Errorf("open: %+v", o)
	}
	if o := tally["mmap of shared memory"]; o.done != 1 {
		t.Errorf("mmap: %+v", o)
	}
	if o := tally["system call 9999"]; o.done != 0 || o.refused["ENOSYS"] != 1 {
		t.Errorf("unknown: %+v", o)
	}
	if len(tally) != 3 {
		t.Errorf("%+v", tally)
	}
}
