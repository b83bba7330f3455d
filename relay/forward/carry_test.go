package forward

import (
	"fmt"
	"net"
	"net/netip"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/lethe-relay/lethe/internal/udpio"
	"github.com/lethe-relay/lethe/internal/wire"
)

// ways are where the plane listens and where the two ends are.
var ways = []struct{ name, listen, device, router string }{
	{"IPv4", "127.0.0.1:0", "127.0.0.1", "127.0.0.1"},
	{"IPv4 to IPv6", "[::]:0", "127.0.0.1", "::1"},
	{"IPv6", "[::1]:0", "::1", "::1"},
}

func TestCarry(t *testing.T) {
	for _, w := range ways {
		for _, tt := range []struct {
			name       string
			n, segSize int
		}{
			{"one datagram", 1200, 1200},
			{"one byte", 1, 1},
			{"equal datagrams", 40 * 1200, 1200},
			{"last is shorter", 39*1200 + 700, 1200},
			{"most segments", 64 * 1000, 1000},
			{"large datagrams", 3 * 9000, 9000},
		} {
			t.Run(w.name+"/"+tt.name, func(t *testing.T) {
				r := start(t, func(c *Config) { c.Listen = netip.MustParseAddrPort(w.listen) })
				device, router, _ := r.pair(t, w.device, w.router)
				sent := payload(tt.n, tt.segSize)
				for _, way := range []struct{ from, to *endpoint }{{device, router}, {router, device}} {
					way.from.send(sent, tt.segSize, 0)
					datagrams := 0
					for _, m := range way.to.want(sent) {
						datagrams += m.Datagrams()
						if m.SegSize != min(tt.segSize, m.N) {
							t.Errorf("%d bytes came in datagrams of %d, want %d", m.N, m.SegSize, tt.segSize)
						}
						if m.Path.Remote != way.to.relay {
							t.Errorf("came from %v, want %v", m.Path.Remote, way.to.relay)
						}
					}
					if want := (tt.n + tt.segSize - 1) / tt.segSize; datagrams != want {
						t.Errorf("%d datagrams came, want %d", datagrams, want)
					}
				}
				r.stop()
				want := uint64(2 * ((tt.n + tt.segSize - 1) / tt.segSize))
				if st := r.Stats(); st.Datagrams != want || st.Bytes != uint64(2*tt.n) || len(r.dropped()) != 0 {
					t.Errorf("counted %d datagrams and %d bytes, dropped %v; want %d, %d, none", st.Datagrams, st.Bytes, r.dropped(), want, 2*tt.n)
				}
			})
		}
	}
}

// TestCarryKeepsBatches: what came together leaves together, which is what the
// relay's speed rests on.
func TestCarryKeepsBatches(t *testing.T) {
	r := start(t, nil)
	if o := r.Offload(); !o.GRO || !o.GSO {
		t.Skipf("the kernel has no UDP offload: %+v", o)
	}
	device, router, _ := r.pair(t, "127.0.0.1", "127.0.0.1")
	sent := payload(50*1200, 1200)
	before := r.Stats().Messages
	device.send(sent, 1200, 0)
	if got := len(router.want(sent)); got != 1 {
		t.Errorf("%d messages came, want 1", got)
	}
	r.stop()
	if got := r.Stats().Messages - before; got != 1 {
		t.Errorf("the relay read %d messages, want 1", got)
	}
}

// TestCarryFromTheAddressThatWasAsked: a relay with several addresses speaks to
// each end from the one that the end has asked.
func TestCarryFromTheAddressThatWasAsked(t *testing.T) {
	r := start(t, func(c *Config) { c.Listen = netip.MustParseAddrPort("0.0.0.0:0") })
	s := r.session(t, Hooks{})
	device, router := r.endpoint(t, "127.0.0.1", s.Device), r.endpoint(t, "127.0.0.1", s.Router)
	for e, asked := range map[*endpoint]string{device: "127.0.0.2", router: "127.0.0.3"} {
		e.relay = udpio.AddrFrom(netip.AddrPortFrom(netip.MustParseAddr(asked), r.LocalAddr().Port()))
		e.bind()
	}
	sent := payload(300, 100)
	for _, way := range []struct{ from, to *endpoint }{{device, router}, {router, device}} {
		way.from.send(sent, 100, 1)
		for _, m := range way.to.want(sent) {
			if m.Path.Remote != way.to.relay {
				t.Errorf("came from %v, want %v", m.Path.Remote, way.to.relay)
			}
		}
	}
}

func TestCarryECN(t *testing.T) {
	for _, w := range ways {
		r := start(t, func(c *Config) { c.Listen = netip.MustParseAddrPort(w.listen) })
		device, router, _ := r.pair(t, w.device, w.router)
		for ecn := range uint8(4) {
			for _, segSize := range []int{300, 100} {
				t.Run(fmt.Sprintf("%s/%02b/%d", w.name, ecn, segSize), func(t *testing.T) {
					sent := payload(300, segSize)
					device.send(sent, segSize, ecn)
					for _, m := range router.want(sent) {
						if m.ECN != ecn {
							t.Errorf("came with %02b", m.ECN)
						}
					}
				})
			}
		}
	}
}

// TestLegMessageAtTheEndOfARun: the kernel merges a BIND into the run of tunnel
// datagrams that it follows.
func TestLegMessageAtTheEndOfARun(t *testing.T) {
	r := start(t, nil)
	device, router, _ := r.pair(t, "127.0.0.1", "127.0.0.1")
	run := payload(5*1200, 1200)
	device.send(append(run[:len(run):len(run)], device.message(wire.TypeBind, wire.Cookie{})...), 1200, 1)
	for _, m := range router.want(run) {
		if m.ECN != 1 {
			t.Errorf("came with ECN %02b", m.ECN)
		}
	}
	device.expect(wire.TypeBound, device.id, device.counter, &device.secret)
}

// TestRunBeforeAMixedMessageStaysBefore hands the loop one batch: a run, then a
// message with a tunnel datagram and a BIND.
func TestRunBeforeAMixedMessageStaysBefore(t *testing.T) {
	r := start(t, func(c *Config) { c.Sockets = 1 })
	device, router, _ := r.pair(t, "127.0.0.1", "127.0.0.1")
	from := udpio.Path{Remote: device.addr()}
	run, mixed, after := payload(3*100, 100), payload(52, 52), payload(70, 70)
	l := newLoop(r.Plane, r.loops[0].conn, make([]byte, loopBytes)) // the plane's own is reading
	batch := udpio.NewBatch(3)
	for i, b := range [][]byte{run, append(mixed[:52:52], device.message(wire.TypeBind, wire.Cookie{})...), after} {
		batch[i].N, batch[i].Path, batch[i].SegSize = copy(batch[i].Buf, b), from, min(100, len(b))
	}
	batch[1].SegSize = 52
	if err := l.send(l.route(batch)); err != nil {
		t.Fatal(err)
	}
	router.want(append(append(run[:300:300], mixed...), after...))
}

func TestQUICOfNoLegGoesToControl(t *testing.T) {
	for _, tt := range []struct{ listen, client, asked string }{
		{"127.0.0.1:0", "127.0.0.1", "127.0.0.1"},
		{"0.0.0.0:0", "127.0.0.1", "127.0.0.2"},
		{"[::]:0", "127.0.0.1", "127.0.0.2"},
		{"[::]:0", "::1", "::1"},
	} {
		t.Run(tt.listen+" asked at "+tt.asked, func(t *testing.T) {
			r := start(t, func(c *Config) { c.Listen = netip.MustParseAddrPort(tt.listen) })
			e := r.endpoint(t, tt.client, r.spare)
			e.relay = udpio.AddrFrom(netip.AddrPortFrom(netip.MustParseAddr(tt.asked), r.LocalAddr().Port()))
			question := payload(3*400, 400)
			e.send(question, 400, 0)
			c := r.ControlConn()
			var from net.Addr
			for i := range 3 {
				b := make([]byte, 1500)
				n, addr, err := c.ReadFrom(b)
				if err != nil || string(b[:n]) != string(question[i*400:(i+1)*400]) {
					t.Fatalf("datagram %d: %d bytes, %v", i, n, err)
				}
				from = addr
			}
			if AddrPortOf(from) != e.conn.LocalAddr() {
				t.Errorf("from %v, want %v", AddrPortOf(from), e.conn.LocalAddr())
			}
			if n, err := c.WriteTo(payload(90, 90), from); n != 90 || err != nil {
				t.Fatal(n, err)
			}
			answer := e.want(payload(90, 90))
			if answer[0].Path.Remote != e.relay {
				t.Errorf("the answer came from %v, want %v", answer[0].Path.Remote, e.relay)
			}
			if st := r.Stats(); st.Control != 3 {
				t.Errorf("counted %d datagrams for the control plane", st.Control)
			}
		})
	}
}

func TestControlConn(t *testing.T) {
	r := start(t, nil)
	c := r.ControlConn()
	if c.LocalAddr().String() != r.LocalAddr().String() {
		t.Errorf("LocalAddr() = %v", c.LocalAddr())
	}
	stranger := net.UDPAddrFromAddrPort(r.LocalAddr())
	if _, err := c.WriteTo([]byte{1}, stranger); err == nil {
		t.Error("wrote to an address that it never returned")
	}
	if AddrPortOf(stranger).IsValid() {
		t.Error("AddrPortOf knows a foreign address")
	}
	if err := c.SetReadDeadline(time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	e := r.endpoint(t, "127.0.0.1", r.spare)
	e.sendOne(payload(10, 10))
	if _, _, err := c.ReadFrom(make([]byte, 10)); err != nil {
		t.Errorf("a deadline in an hour ended reading: %v", err)
	}
	if err := c.SetDeadline(time.Now()); err != nil {
		t.Fatal(err)
	}
	if _, _, err := c.ReadFrom(make([]byte, 10)); err != net.ErrClosed {
		t.Errorf("ReadFrom = %v, want net.ErrClosed", err)
	}
}

// TestGatherKeepsTheOrderOfEachWay compares with each way's messages as they came.
func TestGatherKeepsTheOrderOfEachWay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var out []udpio.Message
		came := make(map[udpio.Path][]int)
		for n, way := range rapid.SliceOfN(rapid.IntRange(0, 3), 1, batchMessages).Draw(t, "ways") {
			path := udpio.Path{Remote: address(way)}
			out = append(out, udpio.Message{N: n, Path: path})
			came[path] = append(came[path], n)
			gather(out)
		}
		for at := 0; at < len(out); {
			path := out[at].Path
			for _, n := range came[path] {
				if at == len(out) || out[at].Path != path || out[at].N != n {
					t.Fatalf("a way is not together, or not in order: %v", out)
				}
				at++
			}
			delete(came, path)
		}
		if len(came) != 0 {
			t.Fatal("messages are lost")
		}
	})
}
