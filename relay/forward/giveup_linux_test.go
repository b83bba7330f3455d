package forward

import (
	"net/netip"
	"os/exec"
	"testing"

	"github.com/lethe-relay/lethe/internal/udpio"
)

// TestWipedWhenTheInterfaceTakesNothing: a loop that waits for room in the kernel's
// send buffer gives up what it has, counts it, wipes, and goes on.
func TestWipedWhenTheInterfaceTakesNothing(t *testing.T) {
	enterNamespace(t,
		[]string{"ip", "link", "set", "lo", "up"},
		[]string{"ip", "link", "add", "left", "type", "veth", "peer", "name", "right"},
		[]string{"ip", "addr", "add", "198.51.100.1/24", "dev", "left"},
		[]string{"ip", "link", "set", "left", "up"},
		[]string{"ip", "link", "set", "right", "up"},
		[]string{"ip", "neigh", "add", "198.51.100.2", "lladdr", "02:00:00:00:00:02", "dev", "left"},
		[]string{"tc", "qdisc", "add", "dev", "left", "root", "tbf", "rate", "8kbit", "burst", "8k", "limit", "64m"})
	r := start(t, func(c *Config) {
		c.Sockets, c.Listen = 1, netip.MustParseAddrPort("0.0.0.0:0")
		c.OneWayBytes = 1 << 40
	})
	s := r.session(t, Hooks{})
	device := r.endpoint(t, "127.0.0.1", s.Device)
	device.bind()
	bench{r.Plane, r.loops[0], s}.bind(s.Router, udpio.AddrFrom(netip.MustParseAddrPort("198.51.100.2:9")))

	l := r.loops[0]
	sent := noise(50*1200, 1200)
	await(t, "a loop that can't send", func() bool {
		device.send(sent, 1200, 0)
		return l.wiper.late.Load() > 0
	})
	if !r.holds(sent) {
		t.Error("the loop that waits holds nothing: the test shows nothing")
	}
	for range 2 {
		before := r.Stats()
		await(t, "the loop to give up and wipe", func() bool {
			return r.Stats().Wipes > before.Wipes && r.Stats().Dropped[DropNoBuffer] > before.Dropped[DropNoBuffer]
		})
		device.send(sent, 1200, 0)
	}
	if out, err := exec.Command("ip", "link", "del", "left").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	await(t, "the packet memory to be empty", func() bool { return r.empty() && l.wiper.late.Load() == 0 })
	if err := r.PacketBuffers().Wiped(); err != nil {
		t.Error(err)
	}
	device.quiet()
}
