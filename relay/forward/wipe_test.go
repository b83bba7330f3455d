package forward

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lethe-relay/lethe/internal/udpio"
	"github.com/lethe-relay/lethe/internal/wire"
)

// windowBytes is what the promise is about: no 16 bytes in a row of what was
// carried are left.
const windowBytes = 16

// noise is payload that is nowhere else in memory.
func noise(n, segSize int) []byte {
	b := make([]byte, n)
	var seed [32]byte
	copy(seed[:], time.Now().String())
	rand.NewChaCha8(seed).Read(b)
	for at := 0; at < n; at += segSize {
		b[at] |= 0xc0
	}
	return b
}

// holds tells whether the packet memory has one of 64 windows of b, taken from
// all over it. It looks while the loops work, as an auditor does.
func (p *Plane) holds(b []byte) bool {
	for _, l := range p.loops {
		for i := range 64 {
			at := i * (len(b) - windowBytes) / 63
			if bytes.Contains(l.memory, b[at:at+windowBytes]) {
				return true
			}
		}
	}
	return false
}

// empty tells whether all packet memory of the loops is zero.
func (p *Plane) empty() bool {
	zero := make([]byte, loopBytes)
	for _, l := range p.loops {
		if !bytes.Equal(l.memory, zero) {
			return false
		}
	}
	return true
}

// await waits until ok.
func await(t testing.TB, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	late := time.After(patience)
	for !ok() {
		select {
		case <-tick.C:
		case <-late:
			t.Fatalf("waited for %v: %s", patience, what)
		}
	}
}

// wiped waits until each loop has wiped once more from now on.
func (p *Plane) wiped(t testing.TB) {
	t.Helper()
	for _, l := range p.loops {
		before := l.wipes.Load()
		await(t, "the wipe of a loop", func() bool { return l.wipes.Load() > before })
	}
}

// carry sends b through the relay and returns when the other end has it, and
// it was seen in the packet memory: so the test looks at the right place.
func (r running) carry(t testing.TB, from, to *endpoint, b []byte) {
	t.Helper()
	await(t, "the payload in the packet memory", func() bool {
		from.send(b, 1200, 0)
		to.want(b)
		return r.holds(b)
	})
}

// TestWipedWhenIdle: a socket that nothing comes in on has nothing in its
// buffers, although the session lives.
func TestWipedWhenIdle(t *testing.T) {
	r := start(t, nil)
	device, router, _ := r.pair(t, "127.0.0.1", "127.0.0.1")
	for range 3 {
		r.carry(t, device, router, noise(50*1200, 1200))
		r.wiped(t)
		if !r.empty() {
			t.Fatal("there are bytes in the packet memory after the wipe")
		}
	}
}

// TestWipedWhenASessionEnds, whoever ends it.
func TestWipedWhenASessionEnds(t *testing.T) {
	for name, end := range map[string]func(r running, device *endpoint, s *Session){
		"by an endpoint": func(_ running, device *endpoint, _ *Session) {
			device.sendOne(device.message(wire.TypeUnbind, wire.Cookie{}))
		},
		"by the relay": func(r running, _ *endpoint, s *Session) { r.End(s, EndByRelay) },
	} {
		t.Run(name, func(t *testing.T) {
			r := start(t, nil)
			ended := make(chan EndReason, 1)
			s := r.session(t, Hooks{Ended: func(why EndReason) { ended <- why }})
			device, router := r.endpoint(t, "127.0.0.1", s.Device), r.endpoint(t, "127.0.0.1", s.Router)
			device.bind()
			router.bind()
			r.carry(t, device, router, noise(50*1200, 1200))
			end(r, device, s)
			<-ended
			r.wiped(t)
			if !r.empty() {
				t.Error("there are bytes in the packet memory after the wipe")
			}
		})
	}
}

// TestWipedWhileBusy: another session that keeps the socket from ever falling
// idle keeps nothing of this one. Its datagrams are small, so they don't
// overwrite what the first has left.
func TestWipedWhileBusy(t *testing.T) {
	r := start(t, func(c *Config) { c.Sockets = 1 })
	busyDevice, busyRouter, _ := r.pair(t, "127.0.0.1", "127.0.0.1")
	device, router, s := r.pair(t, "127.0.0.1", "127.0.0.1")
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		small := noise(100, 100)
		for {
			select {
			case <-stop:
				return
			default:
				busyDevice.sendOne(small)
				busyRouter.want(small)
			}
		}
	})
	defer wg.Wait()
	defer close(stop)

	sent := noise(50*1200, 1200)
	r.carry(t, device, router, sent)
	r.End(s, EndByRelay)
	before := r.Stats()
	r.wiped(t)
	if r.holds(sent) {
		t.Error("the packet memory has the payload after the wipe")
	}
	await(t, "traffic", func() bool { return r.Stats().Reads > before.Reads+100 })
	if r.holds(sent) {
		t.Error("the packet memory has the payload again")
	}
}

// TestWipe: no byte and no address is left in what a loop has in its hands,
// whatever it has done last.
func TestWipe(t *testing.T) {
	r := start(t, nil)
	b := newBench(t)
	device, router := r.endpoint(t, "127.0.0.1", b.s.Device), r.endpoint(t, "127.0.0.1", b.s.Router)
	b.bind(b.s.Device, device.addr())
	b.bind(b.s.Router, router.addr())
	device.relay = loopback(b.LocalAddr().Port())
	b.l.conn.SetReadDeadline(time.Now().Add(patience))
	bind := device.message(wire.TypeBind, wire.Cookie{})
	for name, sent := range map[string][]byte{
		"a run":                     noise(20*1200, 1200),
		"a run and a leg message":   append(noise(3*1200, 1200), bind...),
		"neither QUIC nor a leg's":  {1, 2, 3},
		"a leg message by itself":   bind,
		"an answer to another BIND": device.message(wire.TypeBind, wire.Cookie{}),
	} {
		device.send(sent, 1200, 2)
		n, err := b.l.reader.ReadBatch(b.l.batch)
		if err != nil {
			t.Fatal(err)
		}
		if err := b.l.send(b.l.route(b.l.batch[:n])); err != nil {
			t.Fatal(err)
		}
		if b.empty() {
			t.Fatalf("%s: nothing is in the packet memory", name)
		}
		b.l.wipe()
		if !b.empty() {
			t.Errorf("%s: bytes are left", name)
		}
		for _, m := range append(b.l.batch, b.l.single...) {
			if m.N != 0 || m.SegSize != 0 || m.ECN != 0 || m.Path != (udpio.Path{}) {
				t.Errorf("%s: %d bytes of %v are noted", name, m.N, m.Path)
			}
		}
		if b.l.single[0].Buf != nil {
			t.Errorf("%s: the single message has a buffer", name)
		}
	}
}

// TestWipingCorruptsNothing wipes as often as it can while datagrams pass, and
// looks at each byte that arrives. The buffers lie on the heap here, where the
// race detector sees them.
func TestWipingCorruptsNothing(t *testing.T) {
	p, err := Listen(testConfig())
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range p.loops {
		l.memory = make([]byte, loopBytes)
		l.batch = udpio.BatchIn(l.memory)
	}
	r := run(t, p)
	device, router, _ := r.pair(t, "127.0.0.1", "127.0.0.1")
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for _, l := range r.loops {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				wipes := l.wipes.Load()
				l.conn.SetReadDeadline(time.Unix(1, 0))
				for l.wipes.Load() == wipes && l.conn.SetReadDeadline(time.Unix(1, 0)) == nil {
					runtime.Gosched()
				}
				for range 20 { // let it read something
					runtime.Gosched()
				}
			}
		})
	}
	before := r.Stats()
	for range 100 {
		for _, way := range []struct{ from, to *endpoint }{{device, router}, {router, device}} {
			sent := noise(20*1200, 1200)
			way.from.send(sent, 1200, 0)
			way.to.want(sent)
		}
	}
	close(stop)
	wg.Wait()
	after := r.Stats()
	if after.Wipes-before.Wipes < 200 {
		t.Errorf("only %d wipes between 200 runs: the test shows nothing", after.Wipes-before.Wipes)
	}
	if after.Datagrams-before.Datagrams != 200*20 || len(r.dropped()) != 0 {
		t.Errorf("%d datagrams carried, dropped %v", after.Datagrams-before.Datagrams, r.dropped())
	}
}

// TestNobodyIsWokenForNothing: a loop that has read nothing is asked only now
// and then, one that has read at once.
func TestNobodyIsWokenForNothing(t *testing.T) {
	b := newBench(t)
	asked := func() bool { return b.l.wiper.asked }
	if b.l.ask(false); asked() {
		t.Error("asked, and nothing was read")
	}
	b.l.reads.Add(1)
	if b.l.ask(false); !asked() {
		t.Error("not asked, and something was read")
	}
	b.l.wipe()
	if b.l.ask(false); asked() {
		t.Error("asked again, and nothing was read")
	}
	if b.l.ask(true); !asked() {
		t.Error("not asked anyway")
	}
}

// TestWipedTellsWhenItIsLate: a loop that does not come to wiping is a control
// that is not in force.
func TestWipedTellsWhenItIsLate(t *testing.T) {
	b := newBench(t)
	state := b.PacketBuffers()
	b.l.reads.Add(1)
	for range 1 + wipeLate {
		b.l.ask(false)
	}
	if err := state.Wiped(); err != nil {
		t.Errorf("too early: %v", err)
	}
	b.l.reads.Add(1)
	b.l.ask(false)
	if err := state.Wiped(); err == nil || !strings.Contains(err.Error(), "socket 0 have not been wiped for 600ms") {
		t.Errorf("Wiped() = %v", err)
	}
	b.l.wipe()
	b.l.ask(false)
	if err := state.Wiped(); err != nil {
		t.Errorf("wiped since: %v", err)
	}
}

// TestCloseGivesTheMemoryBack: not before the loops and the control plane's
// reader are done with it, and for good.
func TestCloseGivesTheMemoryBack(t *testing.T) {
	p, err := Listen(testConfig())
	if err != nil {
		t.Fatal(err)
	}
	r := run(t, p)
	device, router, _ := r.pair(t, "127.0.0.1", "127.0.0.1")
	reading := make(chan error, 1)
	go func() {
		b := make([]byte, controlDatagram)
		for {
			if _, _, err := p.control.ReadFrom(b); err != nil {
				reading <- err
				return
			}
		}
	}()
	stranger := r.endpoint(t, "127.0.0.1", r.spare)
	for range 200 {
		stranger.sendOne(payload(1200, 1200)) // which the control plane gets
		device.sendOne(payload(1200, 1200))
	}
	router.read()
	p.Close() // while all of that is on its way
	r.stop()
	p.Close()
	if err := <-reading; !errors.Is(err, net.ErrClosed) {
		t.Errorf("ReadFrom = %v", err)
	}
	if _, err := p.memory.Take(0); err == nil {
		t.Error("there is packet memory after Close")
	}
	if err := p.Run(context.Background()); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Run after Close = %v", err)
	}
	if len(p.control.queue) != 0 {
		t.Error("datagrams wait in the control plane's queue after Close")
	}
	if got, want := p.PacketBuffers().Bytes(), 2*loopBytes+controlBytes; got != want {
		t.Errorf("%d bytes of packet buffers, want %d", got, want)
	}
}

// TestControlQueueIsWiped: a datagram that the control plane has taken is in
// packet memory no more, and its answers leave no address behind.
func TestControlQueueIsWiped(t *testing.T) {
	b := newBench(t)
	sent := payload(1400, 1400)
	b.feed(t, address(5), sent, 0)
	p := <-b.control.queue
	if !bytes.Equal(p.buf[:p.n], sent) {
		t.Fatal("the datagram is not in the packet")
	}
	b.control.queue <- p
	got := make([]byte, 1500)
	n, _, err := b.control.ReadFrom(got)
	if err != nil || !bytes.Equal(got[:n], sent) {
		t.Fatal(err, n)
	}
	if !bytes.Equal(p.buf, make([]byte, controlDatagram)) || p.path != (udpio.Path{}) {
		t.Error("the packet has the datagram, or its address, after it was read")
	}
}
