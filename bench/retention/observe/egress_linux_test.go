package observe

import (
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/lethe-relay/lethe/bench/retention/canary"
)

// TestSent: bytes are counted by destination, IPv4 and IPv6.
func TestSent(t *testing.T) {
	c := startChild(t)
	e := WatchEgress(NewGroup(c.pid()), c.port)
	to := udpListener(t)
	for range 7 {
		c.do("send", to.String())
	}
	e.Announce(netip.AddrPortFrom(to.Addr(), 0))
	r := e.Stop()
	sent := e.Sent()
	if len(sent) != 1 || sent[0] != (Sent{To: to, Datagrams: 7, Bytes: 700, Announced: true}) || len(r.Findings) > 0 {
		t.Errorf("%+v, %+v", sent, r)
	}
}

// TestAccepted: a connection that came in to where the relay listens is its business; one that it makes is not.
func TestAccepted(t *testing.T) {
	for _, out := range []bool{false, true} {
		c := startChild(t)
		address := c.do("listen")
		r := audit(t, c, func() {
			conn, err := net.Dial("tcp", address)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if _, err := conn.Read(make([]byte, 1)); err != nil {
				t.Fatal(err)
			}
			if out {
				c.do("tcp", address)
			}
		})
		if (len(r.Findings) > 0) != out {
			t.Errorf("it connects out: %v; findings: %v", out, r.Findings)
		}
	}
}

// TestEarly: sockets that were there before are no finding, until something leaves by them.
func TestEarly(t *testing.T) {
	for _, what := range []string{"", "early-udp", "early-tcp"} {
		c := startChild(t)
		c.do("early")
		to := udpListener(t).String()
		if what == "early-tcp" {
			to = startChild(t).do("listen")
		}
		e := WatchEgress(NewGroup(c.pid()), c.port)
		if what != "" {
			c.do(what, to)
		}
		if r := e.Stop(); (len(r.Findings) > 0) != (what != "") {
			t.Errorf("%q: %+v", what, r)
		}
	}
}

func TestDestination(t *testing.T) {
	six := make([]byte, 48)
	six[0], six[39], six[42], six[43] = 0x60, 1, 0x12, 0x34
	if to, header := destination(six); to.String() != "[::1]:4660" || header != 48 {
		t.Errorf("%v, %d", to, header)
	}
	four := make([]byte, 32) // with 4 bytes of options
	four[0], four[16], four[19], four[27] = 0x46, 127, 1, 53
	if to, header := destination(four); to.String() != "127.0.0.1:53" || header != 32 {
		t.Errorf("%v, %d", to, header)
	}
	for _, whole := range [][]byte{four, six} {
		for n := range len(whole) {
			if _, header := destination(whole[:n]); header != 0 {
				t.Errorf("%d of %d bytes are enough", n, len(whole))
			}
		}
	}
}

// TestSampler: all windows come from what was sent to the port, and when dense is on, there is
// one of each datagram.
func TestSampler(t *testing.T) {
	c, k := startChild(t), canary.NewKey()
	s := StartSampler(NewGroup(c.pid()), c.port, 50)
	relay, err := net.Dial("udp", netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), c.port).String())
	if err != nil {
		t.Fatal(err)
	}
	defer relay.Close()
	other := udpListener(t)
	datagram := make([]byte, 160)
	send := func(n int) {
		for i := range n {
			canary.NewPlanter(k).Fill(datagram, uint64(i))
			relay.Write(datagram)
			c.do("send", other.String())
		}
	}
	send(100)
	waitFor(t, func() bool { // what comes late would be recorded as if it had come while dense
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.offers == 100 && len(s.spread) == 50
	})
	s.Dense(true)
	send(40)
	s.Dense(false)
	if r := s.Stop(); len(r.NotChecked)+len(r.Notes) > 0 {
		t.Errorf("%+v", r)
	}
	windows := s.Windows()
	if len(windows) != 90 {
		t.Errorf("%d windows", len(windows))
	}
	all := make([]byte, 0, 100*len(datagram))
	for i := range 100 {
		canary.NewPlanter(k).Fill(datagram, uint64(i))
		all = append(all, datagram...)
	}
	f := canary.NewFinder(canary.Sought{Key: canary.NewKey(), Windows: windows})
	if found := f.Scan(all); found.Windows < f.Windows() {
		t.Errorf("%d of %d windows are what was sent", found.Windows, f.Windows())
	}
}

// waitFor waits until something is so.
func waitFor(t *testing.T, so func() bool) {
	t.Helper()
	ticker, late := time.NewTicker(10*time.Millisecond), time.After(10*time.Second)
	defer ticker.Stop()
	for !so() {
		select {
		case <-ticker.C:
		case <-late:
			t.Fatal("it never came to be")
		}
	}
}
