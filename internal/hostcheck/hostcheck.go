package hostcheck

import (
	"context"
	"io/fs"
	"net/netip"

	"github.com/lethe-relay/lethe/internal/lockdown"
)

// Level says how much a finding matters; see the package documentation.
type Level string

// The levels.
const (
	Bad    Level = "bad"
	Advice Level = "advice"
)

// Finding is one thing that is not as it should be.
type Finding struct {
	Check string `json:"check"` // which check found it
	Level Level  `json:"level"`
	What  string `json:"what"` // what is so, and what follows
	Mend  string `json:"mend"` // what to do
}

// NotChecked is a check that could not look.
type NotChecked struct {
	Check string `json:"check"`
	Why   string `json:"why"`
}

// Report is what was found.
type Report struct {
	Findings   []Finding    `json:"findings"`
	NotChecked []NotChecked `json:"not_checked"`
	Good       []string     `json:"good"` // checks that have found nothing
}

// Host is the machine that is looked at.
type Host struct {
	Root    fs.FS    // its root directory: "proc/swaps"
	Environ []string // of a relay that would be started from here: "NAME=value"
	Kernel  Kernel
	Relay   Relay
}

// Kernel answers what no file tells. [ThisKernel] asks the real one.
type Kernel interface {
	// Landlock is the version of the Landlock ABI; an error says why there is none.
	Landlock() (abi int, err error)
	// Seccomp is nil if filters of system calls can be set.
	Seccomp() error
	// LockLimit is how many bytes of memory a relay of this user may lock; unlimited
	// also if it may lift the limit.
	LockLimit() (bytes uint64, unlimited bool, err error)
	// ClockSynchronised tells whether somebody keeps the clock right.
	ClockSynchronised() (bool, error)
}

// Relay is the relay whose host this is, as far as it is known.
type Relay struct {
	Config    string         // path of relay.yaml; empty: none was named
	ConfigErr error          // why it can't be used; nil: the fields below are of it
	Secrets   []string       // paths of other files that hold secrets
	Listen    netip.AddrPort // UDP
	AdminTCP  bool           // its admin listener is a TCP port
	Lockdown  lockdown.Mode  // as the file has it; a relay that runs may have been started with another

	// Ask asks the relay that runs with this configuration about its controls.
	Ask func(context.Context) (*State, error)
}

// State is what a running relay says of its controls.
type State struct {
	Mode     lockdown.Mode
	Controls []lockdown.Control
}

// check is one thing to look at. An error says why it could not look.
type check struct {
	name string
	look func(*examination) ([]Finding, error)
}

// checks are all there are, in the order in which they are reported.
func checks() []check {
	return []check{
		{"swap", swap}, {"zswap", zswap}, {"hibernation", hibernation}, {"page_merging", pageMerging},
		{"core_pattern", corePattern}, {"suid_dumpable", suidDumpable}, {"crash_kernel", crashKernel},
		{"landlock", landlock}, {"seccomp", seccomp}, {"lock_limit", lockLimit},
		{"environment", environment}, {"output", output}, {"log", logs},
		{"capture", capture}, {"connection_tracking", connectionTracking}, {"perf", perf}, {"ptrace", ptrace},
		{"socket_buffers", socketBuffers}, {"clock", clock},
		{"configuration", configuration}, {"files", files}, {"port", port}, {"controls", controls},
	}
}

// Names are the names of all checks.
func Names() []string {
	var names []string
	for _, c := range checks() {
		names = append(names, c.name)
	}
	return names
}

// Run makes all checks. It ends early only in so far as asking the relay does with ctx.
func Run(ctx context.Context, h *Host) *Report {
	e := examine(ctx, h)
	r := &Report{Findings: []Finding{}, NotChecked: []NotChecked{}, Good: []string{}}
	for _, c := range checks() {
		found, err := c.look(e)
		for _, f := range found {
			f.Check = c.name
			r.Findings = append(r.Findings, f)
		}
		switch {
		case err != nil:
			r.NotChecked = append(r.NotChecked, NotChecked{c.name, err.Error()})
		case len(found) == 0:
			r.Good = append(r.Good, c.name)
		}
	}
	return r
}

// one is the single finding of a check.
func one(level Level, what, mend string) []Finding {
	return []Finding{{Level: level, What: what, Mend: mend}}
}
