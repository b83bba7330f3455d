package flows

import (
	"errors"
	"net"
	"testing"
	"time"
)

func TestEndpoints(t *testing.T) {
	for _, i := range []int{0, 1, 254, 255, 256, 10_000, MaxEndpoints - 1} {
		if got := endpointAt(ip(i)); got != i {
			t.Errorf("endpoint %d is taken for %d", i, got)
		}
	}
	if endpointAt([4]byte{127, 0, 0, 1}) >= 0 || endpointAt([4]byte{10, network, 0, 1}) >= 0 {
		t.Error("an address of nobody's is an endpoint")
	}
}

func wantOne(t *testing.T, p *Port, text string, endpoint int, from *Port, fromEndpoint int) {
	t.Helper()
	buf := make([]byte, 100)
	n, at, sender, err := p.Receive(buf, deadline)
	if err != nil || string(buf[:n]) != text || at != endpoint || sender != from.Addr(fromEndpoint) {
		t.Errorf("%q at %d from %v, %v", buf[:n], at, sender, err)
	}
}

func TestPort(t *testing.T) {
	a, b := open(t), open(t)
	for i, text := range []string{"one", "two"} {
		if err := a.Send(300+i, b.Addr(7*i), []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	wantOne(t, b, "one", 0, a, 300)
	wantOne(t, b, "two", 7, a, 301)
	if _, _, _, err := b.Receive(make([]byte, 10), time.Millisecond); !errors.Is(err, ErrTimeout) {
		t.Errorf("nothing comes: %v", err)
	}
}

// TestBorrow: a socket of an endpoint's own has what comes for it until it is closed.
func TestBorrow(t *testing.T) {
	a, b := open(t), open(t)
	own, err := b.Borrow(5)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(a.Send(0, b.Addr(5), []byte("yours")), a.Send(0, b.Addr(6), []byte("mine"))); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 100)
	own.SetReadDeadline(time.Now().Add(deadline))
	n, from, err := own.ReadFrom(buf)
	if err != nil || string(buf[:n]) != "yours" {
		t.Errorf("%q, %v", buf[:n], err)
	}
	wantOne(t, b, "mine", 6, a, 0)
	if _, err := own.WriteTo([]byte("thanks"), from); err != nil {
		t.Fatal(err)
	}
	wantOne(t, a, "thanks", 0, b, 5)
	own.Close()
	if err := a.Send(0, b.Addr(5), []byte("more")); err != nil {
		t.Fatal(err)
	}
	wantOne(t, b, "more", 5, a, 0)
	if _, err := own.WriteTo(nil, from); !errors.Is(err, net.ErrClosed) {
		t.Errorf("it is closed: %v", err)
	}
}
