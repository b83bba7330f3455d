package forward

import (
	"maps"
	"net/netip"
	"os/exec"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/lethe-relay/lethe/internal/udpio"
)

// TestSegmentsRefused has the kernel refuse segmentation for real: a socket that
// sends no checksums gets EINVAL. Batches go out as single datagrams then, and
// as batches again when it is over.
func TestSegmentsRefused(t *testing.T) {
	r := start(t, nil)
	if o := r.Offload(); !o.GRO || !o.GSO {
		t.Skipf("the kernel has no UDP offload: %+v", o)
	}
	device, router, _ := r.pair(t, "127.0.0.1", "127.0.0.1")
	sent := payload(20*1000+1, 1000)
	for _, tt := range []struct{ refuse, messages int }{{0, 1}, {1, 21}, {0, 1}} {
		for _, l := range r.loops {
			raw, err := l.conn.SyscallConn()
			if err != nil {
				t.Fatal(err)
			}
			raw.Control(func(fd uintptr) {
				if err := unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_NO_CHECK, tt.refuse); err != nil {
					t.Error(err)
				}
			})
		}
		device.send(sent, 1000, 0)
		if got := len(router.want(sent)); got != tt.messages {
			t.Errorf("SO_NO_CHECK=%d: %d messages came, want %d", tt.refuse, got, tt.messages)
		}
	}
	if got := r.dropped(); len(got) != 0 {
		t.Errorf("dropped %v", got)
	}
}

// enterNamespace moves the test into a network namespace of its own. The thread
// it is on ends with the test.
func enterNamespace(t *testing.T, commands ...[]string) {
	t.Helper()
	if unix.Geteuid() != 0 {
		t.Skip("making a network namespace needs root")
	}
	runtime.LockOSThread() // and never unlock: the thread is not fit for other use
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		t.Skipf("no network namespaces here: %v", err)
	}
	for _, c := range commands {
		if _, err := exec.LookPath(c[0]); err != nil {
			t.Skipf("iproute2 is not installed: %v", err)
		}
		if out, err := exec.Command(c[0], c[1:]...).CombinedOutput(); err != nil {
			t.Fatalf("%v: %v: %s", c, err, out)
		}
	}
}

// TestNamespaceTooBig: the way to the device takes large datagrams, that to the
// router takes 1500 bytes.
func TestNamespaceTooBig(t *testing.T) {
	const neighbour = "198.51.100.2"
	enterNamespace(t,
		[]string{"ip", "link", "set", "lo", "up"},
		[]string{"ip", "link", "add", "left", "mtu", "1500", "type", "veth", "peer", "name", "right"},
		[]string{"ip", "addr", "add", "198.51.100.1/24", "dev", "left"},
		[]string{"ip", "link", "set", "left", "up"},
		[]string{"ip", "link", "set", "right", "up"},
		[]string{"ip", "neigh", "add", neighbour, "lladdr", "02:00:00:00:00:02", "dev", "left"})
	r := start(t, func(c *Config) { c.Listen = netip.MustParseAddrPort("0.0.0.0:0") })
	s := r.session(t, Hooks{})
	device := r.endpoint(t, "127.0.0.1", s.Device)
	device.bind()
	far := udpio.AddrFrom(netip.AddrPortFrom(netip.MustParseAddr(neighbour), 9))
	bench{Plane: r.Plane}.bind(s.Router, far)

	device.send(payload(5*2000+300, 2000), 2000, 0) // only the last fits
	device.send(payload(3*1473, 1473), 1473, 0)     // one byte too many
	device.send(payload(7*1472, 1472), 1472, 0)     // all fit: the batch goes out as one again
	device.quiet()
	r.stop()
	if got := r.dropped(); !maps.Equal(got, map[DropReason]uint64{DropTooBig: 5 + 3}) {
		t.Errorf("dropped %v", got)
	}
	if st := r.Stats(); st.Datagrams != 1+7 || st.Bytes != 300+7*1472 {
		t.Errorf("forwarded %d datagrams, %d bytes", st.Datagrams, st.Bytes)
	}
}
