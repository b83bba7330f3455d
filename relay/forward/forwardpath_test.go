package forward

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"testing"
	"time"

	"github.com/lethe-relay/lethe/internal/udpio"
)

func TestForwardPathDoesNotAllocate(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	r := start(t, nil)
	b := newBench(t)
	device, router := r.endpoint(t, "127.0.0.1", b.s.Device), r.endpoint(t, "127.0.0.1", b.s.Router)
	b.bind(b.s.Device, device.addr())
	b.bind(b.s.Router, router.addr())
	b.s.Limit(1<<40, time.Now().Add(time.Hour)) // which is looked at, and not reached
	b.l.rate = newRate(100_000_000_000)         // so is this
	b.overload()                                // and so are shares,
	b.l.share.perStep = 1 << 40                 // which are as large
	b.l.conn.SetReadDeadline(time.Now().Add(patience))

	run := payload(20*1200, 1200)
	out := []udpio.Message{
		{Buf: run, N: len(run), SegSize: 1200, ECN: 2},
		{Buf: run, N: 500, SegSize: 500},
	}
	for i := range out {
		out[i].Path.Remote = loopback(b.LocalAddr().Port())
	}
	w := device.conn.NewWriter(len(out))
	in := udpio.NewBatch(16)
	end := router.conn.NewReader(16)
	router.conn.SetReadDeadline(time.Now().Add(patience))
	if allocs := testing.AllocsPerRun(200, func() {
		b.l.share.over, b.l.share.quiet = b.l.share.now, b.l.share.now // it does not end
		if err := w.WriteBatch(out); err != nil {
			t.Fatal(err)
		}
		n, err := b.l.reader.ReadBatch(b.l.batch)
		if err != nil {
			t.Fatal(err)
		}
		b.l.bounds.begin(b.l.share.now+time.Millisecond, 0, true)
		if err := b.l.send(b.l.route(b.l.batch[:n])); err != nil {
			t.Fatal(err)
		}
		if _, err := end.ReadBatch(in); err != nil {
			t.Fatal(err)
		}
	}); allocs != 0 {
		t.Errorf("%v allocations per batch", allocs)
	}
	if s := b.s.Device; s.fair.paid.Load() == 0 || s.rate.paid.Load() == 0 {
		t.Error("rate or share were not looked at")
	}
	if st := b.Stats(); st.Datagrams < 200*20 || len(nonZero(st.Dropped)) != 0 {
		t.Errorf("forwarded %d datagrams, dropped %v: the test did not measure the forward path", st.Datagrams, nonZero(st.Dropped))
	}
}

// TestForwardPathTakesNoLock nor asks for the time: it follows the calls from
// route and send through the functions of this package, by name; it stops at
// sort, which is beside the path.
func TestForwardPathTakesNoLock(t *testing.T) {
	functions := make(map[string][]*ast.FuncDecl)
	fset := token.NewFileSet()
	for _, name := range []string{"loop.go", "table.go", "drop.go", "limit.go", "bounds.go", "bucket.go", "share.go", "session.go", "leak_off.go"} {
		f, err := parser.ParseFile(fset, name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok {
				functions[fn.Name.Name] = append(functions[fn.Name.Name], fn)
			}
		}
	}
	banned := []string{"Lock", "RLock", "TryLock", "Wait", "Do", "Store", "Swap", "Now", "Since", "Until"}
	owners := []string{"take", "admit", "set"} // they store to words that no other loop writes
	var seen []string
	var follow func(name string)
	follow = func(name string) {
		if name == "sort" || slices.Contains(seen, name) || functions[name] == nil {
			return
		}
		seen = append(seen, name)
		for _, fn := range functions[name] {
			ast.Inspect(fn.Body, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.SendStmt, *ast.SelectStmt, *ast.GoStmt, *ast.DeferStmt:
					t.Errorf("%s: %s has a channel operation, go or defer", fset.Position(n.Pos()), name)
				case *ast.UnaryExpr:
					if n.Op == token.ARROW {
						t.Errorf("%s: %s reads a channel", fset.Position(n.Pos()), name)
					}
				case *ast.CallExpr:
					called := calledName(n)
					if slices.Contains(banned, called) && !(called == "Store" && slices.Contains(owners, name)) {
						t.Errorf("%s: %s calls %s", fset.Position(n.Pos()), name, called)
					}
					follow(called)
				}
				return true
			})
		}
	}
	follow("route")
	follow("send")
	for _, name := range []string{"route", "carry", "bound", "cut", "take", "admit", "tally", "set", "send", "allQUIC", "get", "bucket", "add", "dropOf", "leak"} {
		if !slices.Contains(seen, name) {
			t.Errorf("%s was not looked at: it was renamed, or the test follows calls no more", name)
		}
	}
}

func calledName(c *ast.CallExpr) string {
	switch f := c.Fun.(type) {
	case *ast.Ident:
		return f.Name
	case *ast.SelectorExpr:
		return f.Sel.Name
	}
	return ""
}
