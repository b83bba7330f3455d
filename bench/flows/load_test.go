package flows

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"testing"
	"time"
)

// deadline is how long a test waits for what must come.
const deadline = 10 * time.Second

func open(t testing.TB) *Port {
	t.Helper()
	p, err := Open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

// straight are flows without a relay.
func straight(sink *Port, n int) (flows []Flow) {
	for i := range n {
		flows = append(flows, Flow{To: sink.Addr(i)})
	}
	return flows
}

// until counts a Load until it is enough.
func until(t *testing.T, l *Load, enough func(Count) bool) Count {
	t.Helper()
	for end := time.Now().Add(deadline); time.Now().Before(end); {
		c, err := l.Count()
		if err != nil {
			t.Fatal(err)
		}
		if enough(c) {
			return c
		}
	}
	c, _ := l.Count()
	t.Fatalf("not within %v: %+v", deadline, c)
	return c
}

func TestLoad(t *testing.T) {
	for name, c := range map[string]struct{ flows, run int }{
		"one flow": {1, 1}, "three": {3, 1}, "a thousand": {1000, 1}, "runs": {2, 53},
	} {
		t.Run(name, func(t *testing.T) {
			source, sink := open(t), open(t)
			l, err := NewLoad(source, sink, LoadConfig{Flows: straight(sink, c.flows), Window: 512, Run: c.run})
			if err != nil {
				t.Fatal(err)
			}
			l.Start()
			defer l.Close()
			got := until(t, l, func(c Count) bool { return c.Least > 10 })
			if got.Lost != 0 || got.Other != 0 || got.Most-got.Least > 512 || got.Received > got.Sent {
				t.Errorf("%+v", got)
			}
		})
	}
}

// between carries what comes to endpoint i of in on, from endpoint i of out, after
// change has changed it, until the test ends.
func between(t *testing.T, sink *Port, change func(n uint64, b []byte) []byte) netip.AddrPort {
	t.Helper()
	in, out := open(t), open(t)
	done := make(chan struct{})
	stop := make(chan struct{})
	go func() {
		defer close(done)
		for buf := make([]byte, 2048); ; {
			n, i, _, err := in.Receive(buf, 10*time.Millisecond)
			select {
			case <-stop:
				return
			default:
			}
			if err != nil {
				continue
			}
			number, _ := series(0).of(binary.BigEndian.Uint64(buf[n-PayloadSize+numberOffset:]))
			if b := change(number, buf[:n]); b != nil {
				out.Send(i, sink.Addr(int(number)%2), b)
			}
		}
	}()
	t.Cleanup(func() { close(stop); <-done })
	return in.Addr(0)
}

func load(t *testing.T, change func(uint64, []byte) []byte) *Load {
	t.Helper()
	source, sink := open(t), open(t)
	at := between(t, sink, change)
	flow := func(b byte) Flow { return Flow{To: at, Prefix: []byte{'p', b}, Skip: 3} }
	l, err := NewLoad(source, sink, LoadConfig{Flows: []Flow{flow(0), flow(1)}, Window: 64})
	if err != nil {
		t.Fatal(err)
	}
	l.Start()
	t.Cleanup(l.Close)
	return l
}

// reframe turns a prefix of two bytes, which says which flow it is, into one of three.
func reframe(number uint64, b []byte) []byte {
	if b[0] != 'p' || b[1] != byte(number%2) {
		return nil
	}
	return append([]byte("abc"), b[2:]...)
}

// TestPrefix: what comes before a payload may differ between the two sides.
func TestPrefix(t *testing.T) {
	l := load(t, reframe)
	if c := until(t, l, func(c Count) bool { return c.Least > 100 }); c.Lost != 0 || c.Other != 0 {
		t.Errorf("%+v", c)
	}
}

// TestLost: what does not arrive is counted, flow by flow, and the rest goes on.
func TestLost(t *testing.T) {
	l := load(t, func(number uint64, b []byte) []byte {
		if number%10 == 3 {
			return nil
		}
		return reframe(number, b)
	})
	c := until(t, l, func(c Count) bool { return c.Received > 900 })
	if share := float64(c.Lost) / float64(c.Received+c.Lost); share < 0.09 || share > 0.11 {
		t.Errorf("a tenth is lost, told are %d of %d", c.Lost, c.Received+c.Lost)
	}
}

// TestAllLost: a relay that has lost all that was under way is sent more.
func TestAllLost(t *testing.T) {
	l := load(t, func(number uint64, b []byte) []byte {
		if number < 200 {
			return nil
		}
		return reframe(number, b)
	})
	if c := until(t, l, func(c Count) bool { return c.Received > 100 }); c.Lost != 200 {
		t.Errorf("200 are lost, told are %d", c.Lost)
	}
}

// TestOther: what is no payload is counted as such, and what it came instead of as lost.
func TestOther(t *testing.T) {
	l := load(t, func(number uint64, b []byte) []byte {
		if number%10 == 3 {
			return []byte("I am the relay")
		}
		return reframe(number, b)
	})
	if c := until(t, l, func(c Count) bool { return c.Lost > 50 }); c.Other < c.Lost || c.Other > c.Lost+20 {
		t.Errorf("%+v", c)
	}
}

// TestWrong: what is not as it was sent ends the Load.
func TestWrong(t *testing.T) {
	for name, change := range map[string]func([]byte){
		"first byte": func(b []byte) { b[3] = 0 },
		"body":       func(b []byte) { b[700]++ },
		"never sent": func(b []byte) { b[3+numberOffset+3] = 0x7f },
		"another's":  func(b []byte) { b[3+bodyOffset-1] ^= 1 },
	} {
		t.Run(name, func(t *testing.T) {
			l := load(t, func(number uint64, b []byte) []byte {
				b = reframe(number, b)
				change(b)
				return b
			})
			for end := time.Now().Add(deadline); time.Now().Before(end); {
				if c, err := l.Count(); errors.Is(err, ErrContent) {
					if c.Received != 0 {
						t.Errorf("%d count as received", c.Received)
					}
					return
				}
			}
			t.Error("is taken")
		})
	}
}

// TestSeries: what comes of a Load that is over is not the next one's.
func TestSeries(t *testing.T) {
	source, sink := open(t), open(t)
	for range 2 {
		l, err := NewLoad(source, sink, LoadConfig{Flows: straight(sink, 2)})
		if err != nil {
			t.Fatal(err)
		}
		for range 3 { // which nobody receives
			if _, err := l.send(time.Now()); err != nil {
				t.Fatal(err)
			}
		}
	}
	l, err := NewLoad(source, sink, LoadConfig{Flows: straight(sink, 2), Window: 64})
	if err != nil {
		t.Fatal(err)
	}
	l.Start()
	defer l.Close()
	if c := until(t, l, func(c Count) bool { return c.Received > 500 }); c.Other != 2*3*loadBatch || c.Lost != 0 {
		t.Errorf("%+v", c)
	}
}

func TestInvalid(t *testing.T) {
	source, sink := open(t), open(t)
	v4, v6 := netip.MustParseAddrPort("127.0.0.1:9"), netip.MustParseAddrPort("[::1]:9")
	for _, c := range []struct {
		flows []Flow
		want  error
	}{
		{nil, ErrNoFlows},
		{make([]Flow, MaxEndpoints+1), ErrNoFlows},
		{[]Flow{{To: v4}, {To: v4, Prefix: []byte{1}}}, ErrPrefixes},
		{[]Flow{{To: v4}, {To: v6}}, ErrNotIPv4},
	} {
		if _, err := NewLoad(source, sink, LoadConfig{Flows: c.flows}); !errors.Is(err, c.want) {
			t.Errorf("%v, want %v", err, c.want)
		}
	}
}
