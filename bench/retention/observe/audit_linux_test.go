package observe

import (
	"net"
	"net/netip"
	"slices"
	"testing"

	"golang.org/x/sys/unix"
)

// audit runs every observer around do, and returns what they tell.
func audit(t *testing.T, c *child, do func(), announced ...netip.AddrPort) (r Result) {
	t.Helper()
	g := Enclose(c.pid())
	defer func() {
		if err := g.Close(); err != nil {
			t.Errorf("the group can't be closed: %v", err)
		}
	}()
	processes, files := WatchProcesses(g), WatchFiles(g, []string{"/etc/hosts", "/proc/", "/sys/"})
	descriptors, mappings, writes, swap := WatchDescriptors(g), WatchMappings(g), WatchWrites(g), WatchSwap(g)
	egress := WatchEgress(g, c.port)
	egress.Announce(announced...)
	do()
	for _, stopped := range []Result{descriptors.Stop(), mappings.Stop(), writes.Stop(), egress.Stop(), swap.Stop(), processes.Stop(), files.Stop()} {
		r.Add(stopped)
	}
	return r
}

func detectors(r Result) (names []string) {
	for _, f := range r.Findings {
		if !slices.Contains(names, f.Detector) {
			names = append(names, f.Detector)
		}
	}
	slices.Sort(names)
	return names
}

// udpListener is somebody to send to.
func udpListener(t *testing.T) netip.AddrPort {
	t.Helper()
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn.LocalAddr().(*net.UDPAddr).AddrPort()
}

// TestFound: whatever a process does, those that can see it say so, and no other. A new name may make its folder
// larger on the disk, and a new process does what processes do.
func TestFound(t *testing.T) {
	friend, stranger := udpListener(t), udpListener(t)
	for name, want := range map[string][]string{
		"file":                      {DetectorFileEvents, DetectorWriteBytes},
		"hold":                      {DetectorDescriptors, DetectorFileEvents},
		"read /etc/passwd":          {DetectorFileEvents},
		"read /etc/hosts":           nil,
		"memfd payload":             {DetectorDescriptors},
		"netlink":                   {DetectorEgress},
		"memfd":                     nil,
		"shared":                    {DetectorFileEvents, DetectorMappings, DetectorWriteBytes},
		"spawn":                     {DetectorFileEvents, DetectorProcesses},
		"print nothing":             nil,
		"send " + friend.String():   nil,
		"send " + stranger.String(): {DetectorEgress},
		"udp " + stranger.String():  {DetectorEgress},
		"udp " + friend.String():    {DetectorEgress}, // through a socket that the relay has no use for
	} {
		t.Run(name, func(t *testing.T) {
			c := startChild(t)
			r := audit(t, c, func() { c.do(name) }, friend)
			if !onDisk(t, c.dir) {
				want = slices.DeleteFunc(want, func(d string) bool { return d == DetectorWriteBytes })
			}
			may := map[string][]string{"hold": {DetectorWriteBytes}, "spawn": {DetectorDescriptors, DetectorEgress}}[name]
			got := slices.DeleteFunc(detectors(r), func(d string) bool { return slices.Contains(may, d) })
			if !slices.Equal(got, want) {
				t.Errorf("found by %q, want %q: %+v", got, want, r.Findings)
			}
			for _, gap := range r.NotChecked {
				t.Logf("not checked: %s: %s", gap.Detector, gap.Why)
			}
		})
	}
}

func TestUnixSocketFound(t *testing.T) {
	c := startChild(t)
	listener, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: c.path("socket"), Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	r := audit(t, c, func() { c.do("unixgram", c.path("socket")) })
	if got := detectors(r); !slices.Equal(got, []string{DetectorEgress}) {
		t.Errorf("found by %q: %+v", got, r.Findings)
	}
}

// onDisk says whether a folder is where writing counts as such.
func onDisk(t *testing.T, dir string) bool {
	t.Helper()
	var stat unix.Statfs_t
	if err := unix.Statfs(dir, &stat); err != nil {
		t.Fatal(err)
	}
	return stat.Type != unix.TMPFS_MAGIC
}
