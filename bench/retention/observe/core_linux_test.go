package observe

import (
	"os"
	"strings"
	"testing"
)

// TestCore: a core file is found, or the way that it takes on this machine is a gap; a process
// that may not dump leaves none.
func TestCore(t *testing.T) {
	pattern, err := os.ReadFile(corePattern)
	if err != nil {
		t.Fatal(err)
	}
	piped := strings.HasPrefix(string(pattern), "|")
	for _, what := range []string{"dumpable", "undumpable"} {
		t.Run(what, func(t *testing.T) {
			c := startChild(t)
			c.do(what)
			reaped := make(chan struct{})
			g := NewGroup(c.pid())
			go func() {
				defer close(reaped)
				c.cmd.Process.Wait()
			}()
			r := Abort(t.Context(), g, c.dir)
			<-reaped
			if (len(r.Findings) > 0) != (what == "dumpable" && !piped) {
				t.Errorf("findings: %v", r.Findings)
			}
			if (len(r.NotChecked) > 0) != piped {
				t.Errorf("not checked: %v", r.NotChecked)
			}
		})
	}
	if r := CorePattern(); len(r.Notes) != 1 {
		t.Errorf("%+v", r)
	}
}

// TestDumped judges by what wait has told.
func TestDumped(t *testing.T) {
	c := startChild(t)
	c.do("dumpable")
	go Abort(t.Context(), NewGroup(c.pid()))
	state, err := c.cmd.Process.Wait()
	if err != nil {
		t.Fatal(err)
	}
	if r := Dumped(state); len(r.Findings) != 1 {
		t.Errorf("%+v of %v", r, state)
	}
}
