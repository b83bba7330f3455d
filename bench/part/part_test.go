package part

import (
	"bytes"
	"errors"
	"io"
	"net"
	"testing"
	"testing/iotest"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// content is the first n bytes of a flow.
func content(n int) []byte {
	p := newPattern()
	var b []byte
	for len(b) < n {
		b = append(b, p.at(uint64(len(b)))...)
	}
	return b[:n]
}

// TestContent: what went missing, came twice, came in another order or was
// changed is seen, wherever that was; what is right is counted in full.
func TestContent(t *testing.T) {
	const size = 3*chunk + 17
	change := func(f func(b []byte) []byte) []byte { return f(content(size)) }
	for name, c := range map[string]struct {
		in    []byte
		wrong bool
	}{
		"right":         {content(size), false},
		"empty":         {nil, false},
		"a bit":         {change(func(b []byte) []byte { b[size-1] ^= 1; return b }), true},
		"a byte less":   {change(func(b []byte) []byte { return append(b[:chunk], b[chunk+1:]...) }), true},
		"a chunk less":  {change(func(b []byte) []byte { return b[chunk:] }), true},
		"a packet less": {change(func(b []byte) []byte { return append(b[:1200], b[2400:]...) }), true},
		"twice":         {change(func(b []byte) []byte { return append(b[:chunk:chunk], b...) }), true},
		"turned round":  {change(func(b []byte) []byte { return append(b[1200:2400:2400], b[:1200]...) }), true},
		"zeros":         {make([]byte, size), true},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMeter()
			m.receive(iotest.HalfReader(bytes.NewReader(c.in)))
			moved, err := m.moved()
			if wrong := errors.Is(err, errContent); wrong != c.wrong {
				t.Fatalf("seen to be wrong: %v, want %v (%v)", wrong, c.wrong, err)
			}
			if !c.wrong && (moved.Received != uint64(len(c.in)) || err != io.EOF) {
				t.Errorf("counted %d bytes of %d, then %v", moved.Received, len(c.in), err)
			}
		})
	}
}

// TestFlow: what send writes, receive takes.
func TestFlow(t *testing.T) {
	near, far := net.Pipe()
	sender, receiver := newMeter(), newMeter()
	done := make(chan struct{})
	go func() { defer close(done); sender.answer(near, Down) }()
	receiver.receive(io.LimitReader(far, 5*period))
	far.Close()
	<-done
	if moved, err := receiver.moved(); moved.Received != 5*period || err != io.EOF {
		t.Errorf("received %d, %v", moved.Received, err)
	}
	if _, err := sender.moved(); err == nil {
		t.Error("a flow that has stopped is not told")
	}
}

func TestDatagram(t *testing.T) {
	p := newPattern()
	run := p.datagrams(2)
	p.number(run[datagramSize:], 1<<40)
	if number, ok := p.check(run[datagramSize:], true); number != 1<<40 || !ok {
		t.Errorf("got %d, %v", number, ok)
	}
	for name, bad := range map[string][]byte{
		"short": run[:datagramSize-1], "long": run[:datagramSize+1], "empty": nil,
		"not QUIC": append([]byte{0x3f}, run[1:datagramSize]...),
		"changed":  append(bytes.Clone(run[:datagramSize-1]), 0),
	} {
		if _, ok := p.check(bad, true); ok {
			t.Errorf("%s: is taken", name)
		}
	}
}
