package hostcheck

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/lethe-relay/lethe/internal/lockdown"
)

const (
	swapsHeader  = "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n"
	packetHeader = "sk               RefCnt Type Proto  Iface R Rmem   User   Inode\n"
	udpHeader    = "   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops\n"
)

// A kernel answers as it is told.
type kernel struct {
	landlock, seccomp, clock, limit error
	unlimited, synchronised         bool
}

func (k kernel) Landlock() (int, error)           { return 7, k.landlock }
func (k kernel) Seccomp() error                   { return k.seccomp }
func (k kernel) ClockSynchronised() (bool, error) { return k.synchronised, k.clock }
func (k kernel) LockLimit() (uint64, bool, error) { return 8 << 20, k.unlimited, k.limit }

func file(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text), Mode: 0o600} }

// goodHost is a machine on which nothing is to be found: it runs a relay that is
// held in every way.
func goodHost() (*Host, fstest.MapFS) {
	files := fstest.MapFS{
		"proc/swaps":                          file(swapsHeader),
		"proc/cmdline":                        file("quiet nohibernate\n"),
		"proc/net/packet":                     file(packetHeader),
		"proc/net/udp":                        file(udpHeader),
		"proc/net/udp6":                       file(udpHeader),
		"proc/sys/kernel/core_pattern":        file("|/bin/false\n"),
		"proc/sys/kernel/perf_event_paranoid": file("3\n"),
		"proc/sys/kernel/yama/ptrace_scope":   file("2\n"),
		"proc/sys/fs/suid_dumpable":           file("0\n"),
		"proc/sys/net/core/rmem_max":          file("8388608\n"),
		"proc/sys/net/core/wmem_max":          file("8388608\n"),
		"proc/17/comm":                        file("lethe-relay\n"),
		"proc/17/cmdline":                     file("/usr/local/bin/lethe-relay\x00run\x00--config\x00relay.yaml\x00"),
		"proc/17/environ":                     file("PATH=/bin\x00GOTRACEBACK=none\x00"),
		"proc/17/cgroup":                      file("0::/system.slice/lethe-relay.service\n"),
		"proc/17/fd/1":                        {Mode: fs.ModeDevice | fs.ModeCharDevice},
		"proc/17/fd/2":                        {Mode: fs.ModeSocket},
		"sys/power/state":                     file("freeze mem\n"),
		"sys/kernel/kexec_crash_loaded":       file("0\n"),
		"sys/kernel/mm/ksm/run":               file("0\n"),
		"sys/module/zswap/parameters/enabled": file("N\n"),
		"sys/fs/cgroup/system.slice/x/y":      file(""),
		"var/log/dmesg":                       file(""),
		"srv/relay/relay.yaml":                file(""),
		"srv/relay/relay.key":                 file(""),
	}
	return &Host{
		Root: files, Environ: []string{"PATH=/bin", "SSLKEYLOGFILE="},
		Kernel: kernel{unlimited: true, synchronised: true},
		Relay: Relay{
			Config: "/srv/relay/relay.yaml", Secrets: []string{"/srv/relay/relay.key"},
			Lockdown: lockdown.Require, Listen: netip.MustParseAddrPort("[::]:443"),
			Ask: func(context.Context) (*State, error) {
				return &State{Mode: lockdown.Require, Controls: []lockdown.Control{{Name: "landlock", InForce: true}}}, nil
			},
		},
	}, files
}

var errDown = errors.New("the relay does not run")

func asleep(h *Host) {
	h.Relay.Ask = func(context.Context) (*State, error) { return nil, errDown }
}

func TestGoodHost(t *testing.T) {
	h, _ := goodHost()
	r := Run(t.Context(), h)
	if len(r.Findings)+len(r.NotChecked) != 0 || !slices.Equal(r.Good, Names()) {
		t.Errorf("%+v", r)
	}
}

// badHosts are changes to a good host, each with what must be found then, and nothing else.
var badHosts = []struct {
	check  string
	level  Level
	what   string // part of it
	files  map[string]string
	change func(*Host)
}{
	{check: "swap", level: Bad, what: "(/dev/sda2)", files: map[string]string{"proc/swaps": swapsHeader + "/dev/sda2 partition 2097148 0 -2\n"}},
	{check: "swap", level: Bad, what: "(/swap.img)", files: map[string]string{"proc/swaps": swapsHeader + "/swap.img file 2097148 0 -2\n"}},
	{check: "swap", level: Advice, what: "encrypted (/dev/dm-1)", files: map[string]string{"proc/swaps": swapsHeader + "/dev/dm-1 partition 2097148 0 -2\n", "sys/block/dm-1/dm/uuid": "CRYPT-PLAIN-swap\n"}},
	{check: "swap", level: Bad, what: "(/dev/dm-2)", files: map[string]string{"proc/swaps": swapsHeader + "/dev/dm-2 partition 2097148 0 -2\n", "sys/block/dm-2/dm/uuid": "LVM-abc\n"}},
	{check: "swap", level: Advice, what: "in memory (/dev/zram0)", files: map[string]string{"proc/swaps": swapsHeader + "/dev/zram0 partition 2097148 0 100\n"}},
	{check: "swap", level: Advice, what: "closed to the relay", files: map[string]string{"proc/swaps": swapsHeader + "/dev/sda2 partition 2097148 0 -2\n", "sys/fs/cgroup/system.slice/lethe-relay.service/memory.swap.max": "0\n"}},
	{check: "hibernation", level: Bad, what: "resume=/dev/sda2", files: map[string]string{"sys/power/state": "freeze mem disk\n", "proc/cmdline": "quiet resume=/dev/sda2\n"}},
	{check: "page_merging", level: Advice, what: "KSM", files: map[string]string{"sys/kernel/mm/ksm/run": "1\n"}},
	{check: "core_pattern", level: Bad, what: "(/usr/lib/systemd/systemd-coredump)", files: map[string]string{"proc/sys/kernel/core_pattern": "|/usr/lib/systemd/systemd-coredump %P %u\n"}},
	{check: "core_pattern", level: Advice, what: `("core.%p")`, files: map[string]string{"proc/sys/kernel/core_pattern": "core.%p\n"}},
	{check: "suid_dumpable", level: Advice, what: "readable for root", files: map[string]string{"proc/sys/fs/suid_dumpable": "2\n"}},
	{check: "suid_dumpable", level: Bad, what: "readable for their user", files: map[string]string{"proc/sys/fs/suid_dumpable": "1\n"}},
	{check: "crash_kernel", level: Bad, what: "kdump", files: map[string]string{"sys/kernel/kexec_crash_loaded": "1\n"}},
	{check: "crash_kernel", level: Advice, what: "crashkernel=256M", files: map[string]string{"proc/cmdline": "quiet crashkernel=256M\n"}},
	{check: "landlock", level: Bad, what: "does not start", change: func(h *Host) { h.Kernel = kernel{landlock: errors.ErrUnsupported, unlimited: true, synchronised: true} }},
	{check: "seccomp", level: Bad, what: "does not start", change: func(h *Host) { h.Kernel = kernel{seccomp: errors.ErrUnsupported, unlimited: true, synchronised: true} }},
	{check: "environment", level: Bad, what: "SSLKEYLOGFILE is set in the environment of this shell", change: func(h *Host) { h.Environ = []string{"SSLKEYLOGFILE=keys"} }},
	{check: "environment", level: Bad, what: "QLOGDIR", change: func(h *Host) { h.Environ = []string{"QLOGDIR=."} }},
	{check: "environment", level: Advice, what: "GOTRACEBACK is set in the environment of the relay with process id 17", files: map[string]string{"proc/17/environ": "A=B\x00GOTRACEBACK=crash\x00"}},
	{check: "output", level: Bad, what: "stderr of the relay with process id 17 is a file", files: map[string]string{"proc/17/fd/2": ""}},
	{check: "log", level: Advice, what: "the journal is on disk", files: map[string]string{"var/log/journal/machine/system.journal": ""}},
	{check: "log", level: Advice, what: "this is a container", files: map[string]string{".dockerenv": ""}},
	{check: "capture", level: Bad, what: "1 sockets see all packets", files: map[string]string{"proc/net/packet": packetHeader + "ffff8881 3      3    0003   2     1 0      0      31337\n"}},
	{check: "capture", level: Advice, what: "1 sockets see packets of one protocol", files: map[string]string{"proc/net/packet": packetHeader + "ffff8881 3      3    0800   2     1 0      0      31337\nffff8882 3      2    88cc   2     1 0      0      31338\n"}},
	{check: "connection_tracking", level: Advice, what: "120 s", files: map[string]string{"proc/sys/net/netfilter/nf_conntrack_count": "12\n", "proc/sys/net/netfilter/nf_conntrack_udp_timeout_stream": "120\n"}},
	{check: "perf", level: Advice, what: "is 1", files: map[string]string{"proc/sys/kernel/perf_event_paranoid": "1\n"}},
	{check: "ptrace", level: Advice, what: "is 0", files: map[string]string{"proc/sys/kernel/yama/ptrace_scope": "0\n"}},
	{check: "socket_buffers", level: Advice, what: "net.core.wmem_max is 212992", files: map[string]string{"proc/sys/net/core/wmem_max": "212992\n"}},
	{check: "clock", level: Advice, what: "clock", change: func(h *Host) { h.Kernel = kernel{unlimited: true} }},
	{check: "configuration", level: Bad, what: "no such key", change: func(h *Host) { h.Relay = Relay{Config: h.Relay.Config, ConfigErr: errors.New("no such key")} }},
	{check: "configuration", level: Bad, what: "lockdown: off", change: func(h *Host) { asleep(h); h.Relay.Lockdown = lockdown.Off; h.Relay.Listen = netip.AddrPort{} }},
	{check: "configuration", level: Bad, what: "lockdown: prefer", change: func(h *Host) { h.Relay.Lockdown = lockdown.Prefer }},
	{check: "configuration", level: Advice, what: "TCP port", change: func(h *Host) { h.Relay.AdminTCP = true }},
	{check: "controls", level: Bad, what: "landlock is not in force in the running relay: it was tried", change: state(lockdown.Require, lockdown.Control{Name: "landlock", How: "it was tried", Mend: "do this"})},
	{check: "controls", level: Advice, what: "memory_locked is not in force", change: state(lockdown.Require, lockdown.Control{Name: lockdown.MemoryLocked, How: "packet buffers only", Mend: "do this"})},
	{check: "controls", level: Bad, what: "lockdown: prefer", change: func(h *Host) { state(lockdown.Prefer)(h); h.Relay.Lockdown = lockdown.Prefer }},
	{check: "lock_limit", level: Advice, what: "8192 KiB", change: func(h *Host) { asleep(h); h.Kernel = kernel{synchronised: true} }},
	{check: "port", level: Bad, what: "UDP port 443 is held", files: map[string]string{"proc/net/udp6": udpHeader + "  12: 00000000000000000000000000000000:01BB 00000000000000000000000000000000:0000 07 0:0 0:0 0 0 0 1 2 0 0\n"}, change: asleep},
}

func state(mode lockdown.Mode, controls ...lockdown.Control) func(*Host) {
	return func(h *Host) {
		h.Relay.Ask = func(context.Context) (*State, error) { return &State{mode, controls}, nil }
	}
}

func TestBadHosts(t *testing.T) {
	seen := map[string]bool{"zswap": true, "files": true} // they have tests of their own
	for _, tt := range badHosts {
		seen[tt.check] = true
		t.Run(tt.check, func(t *testing.T) {
			h, files := goodHost()
			for name, text := range tt.files {
				files[name] = file(text)
			}
			if tt.change != nil {
				tt.change(h)
			}
			wantOnly(t, Run(t.Context(), h), tt.check, tt.level, tt.what)
		})
	}
	for _, name := range Names() {
		if !seen[name] {
			t.Errorf("%s is never seen to find anything", name)
		}
	}
}

func wantOnly(t *testing.T, r *Report, check string, level Level, what string) {
	t.Helper()
	if len(r.Findings) != 1 {
		t.Fatalf("findings: %+v", r.Findings)
	}
	f := r.Findings[0]
	if f.Check != check || f.Level != level || !strings.Contains(f.What, what) || f.Mend == "" {
		t.Errorf("%+v; want %s, %s, %q and how to mend it", f, check, level, what)
	}
	if slices.Contains(r.Good, check) {
		t.Error("it is also good")
	}
}

// TestZswap: it matters with swap only.
func TestZswap(t *testing.T) {
	h, files := goodHost()
	files["sys/module/zswap/parameters/enabled"] = file("Y\n")
	if r := Run(t.Context(), h); len(r.Findings) != 0 {
		t.Errorf("without swap: %+v", r.Findings)
	}
	files["proc/swaps"] = file(swapsHeader + "/dev/sda2 partition 2097148 0 -2\n")
	if r := Run(t.Context(), h); len(r.Findings) != 2 || r.Findings[1].Check != "zswap" || r.Findings[1].Level != Advice {
		t.Errorf("with swap: %+v", r.Findings)
	}
}

// TestFiles: each file with a secret, by its own mode.
func TestFiles(t *testing.T) {
	for _, name := range []string{"srv/relay/relay.yaml", "srv/relay/relay.key"} {
		h, files := goodHost()
		files[name].Mode = 0o640
		wantOnly(t, Run(t.Context(), h), "files", Bad, "others than its owner may use /"+name)
	}
}

// TestHibernationNeedsAPlace: without swap nor resume= there is nowhere to write to.
func TestHibernationNeedsAPlace(t *testing.T) {
	h, files := goodHost()
	files["sys/power/state"] = file("freeze mem disk\n")
	if r := Run(t.Context(), h); len(r.Findings) != 0 {
		t.Errorf("%+v", r.Findings)
	}
	files["proc/swaps"] = file(swapsHeader + "/dev/sda2 partition 2097148 0 -2\n")
	if r := Run(t.Context(), h); len(r.Findings) != 2 || r.Findings[1].Check != "hibernation" {
		t.Errorf("with swap: %+v", r.Findings)
	}
}

// TestOldKernel: what a kernel does not have is no finding, and not unchecked either.
func TestOldKernel(t *testing.T) {
	h, files := goodHost()
	for _, name := range []string{"sys/kernel/kexec_crash_loaded", "sys/kernel/mm/ksm/run", "sys/module/zswap/parameters/enabled", "sys/power/state"} {
		delete(files, name)
	}
	files["sys/kernel/mm/page_idle"] = file("")
	if r := Run(t.Context(), h); len(r.Findings)+len(r.NotChecked) != 0 {
		t.Errorf("%+v", r)
	}
}

// TestNothingReadable: what can't be looked at is said, never passed off as good.
func TestNothingReadable(t *testing.T) {
	h, _ := goodHost()
	broken := errors.New("it is forbidden")
	h.Root, h.Kernel = fstest.MapFS{}, kernel{clock: broken, limit: broken}
	asleep(h)
	r := Run(t.Context(), h)
	if want := []string{"landlock", "seccomp", "environment", "configuration"}; !slices.Equal(r.Good, want) || len(r.Findings) != 0 { // they need no file
		t.Errorf("good: %v, want %v; findings: %+v", r.Good, want, r.Findings)
	}
	for _, n := range r.NotChecked {
		if n.Why == "" {
			t.Errorf("%s does not say why", n.Check)
		}
	}
}

// TestNoRelay: without --config, what is about the relay is not checked.
func TestNoRelay(t *testing.T) {
	h, files := goodHost()
	h.Relay = Relay{}
	maps.DeleteFunc(files, func(name string, _ *fstest.MapFile) bool { return strings.HasPrefix(name, "proc/17/") })
	var names []string
	r := Run(t.Context(), h)
	for _, n := range r.NotChecked {
		names = append(names, n.Check)
	}
	if want := []string{"output", "configuration", "files", "port", "controls"}; !slices.Equal(names, want) || len(r.Findings) != 0 {
		t.Errorf("not checked: %v, want %v; findings: %+v", names, want, r.Findings)
	}
}

// TestNoYama: advice to set what this kernel does not have would not help.
func TestNoYama(t *testing.T) {
	h, files := goodHost()
	delete(files, "proc/sys/kernel/yama/ptrace_scope")
	r := Run(t.Context(), h)
	wantOnly(t, r, "ptrace", Advice, "no Yama")
	if strings.Contains(r.Findings[0].Mend, "60-lethe.conf") {
		t.Error(r.Findings[0].Mend)
	}
}
