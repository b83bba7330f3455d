package verdict

import (
	"fmt"
	"time"

	"github.com/lethe-relay/lethe/bench/retention/observe"
)

// Verdict is what an audit comes to.
type Verdict string

// The verdicts.
const (
	Pass    Verdict = "PASS"
	Fail    Verdict = "FAIL"
	Invalid Verdict = "INVALID"
)

// Level is a kind of what is looked for in memory.
type Level string

// The levels; see the package documentation.
const (
	Payload     Level = "payload"
	Ciphertext  Level = "ciphertext"
	Plaintext   Level = "plaintext"
	Identifiers Level = "identifiers"
)

// Levels are all of them, in the order of reports.
func Levels() []Level { return []Level{Payload, Ciphertext, Plaintext, Identifiers} }

// Moment is what a scan is about.
type Moment string

// The moments.
const (
	Live   Moment = "live"   // sessions carry; payload has to be found
	Cut    Moment = "cut"    // the ends of the group are gone, the relay still waits for them
	Closed Moment = "closed" // the group's sessions are over
)

// Report is the whole of an audit. Times are seconds since its beginning.
type Report struct {
	Verdict Verdict   `json:"verdict"`
	Why     []string  `json:"why"`   // of FAIL and INVALID
	Nonce   string    `json:"nonce"` // random, so that no two reports are the same
	Time    time.Time `json:"time"`
	Flags   []string  `json:"flags"`
	Machine Machine   `json:"machine"`
	Relay   Relay     `json:"relay"`
	Asked   Asked     `json:"asked"`
	Done    Done      `json:"done"`

	Groups     []Group    `json:"groups"`
	Scans      []Scan     `json:"scans"`
	Detectors  []Detector `json:"detectors"`
	NotChecked []string   `json:"not_checked"`
	Throughput []Rate     `json:"throughput"`
	Errors     []string   `json:"errors,omitempty"` // what kept the audit from going on
	Seconds    float64    `json:"seconds"`
}

// Machine is where it ran.
type Machine struct {
	Kernel   string `json:"kernel"`
	System   string `json:"system"`
	CPUs     int    `json:"cpus"`
	CPUModel string `json:"cpu_model"`
}

// Relay is what was audited.
type Relay struct {
	SHA256   string            `json:"sha256"` // of the program's file
	Go       string            `json:"go"`
	Build    map[string]string `json:"build"` // settings, as go version -m shows them
	Lockdown string            `json:"lockdown"`
	Controls []Control         `json:"controls,omitempty"` // as the relay shows them, in the middle of the audit
	Attached bool              `json:"attached,omitempty"` // it was running before the audit
}

// Control is a control of the relay's lockdown.
type Control struct {
	Name    string `json:"name"`
	InForce bool   `json:"in_force"`
	How     string `json:"how,omitempty"`
}

// Asked is what the audit was to do at least.
type Asked struct {
	Bytes    uint64          `json:"bytes"`    // relayed, and checked at the far end
	Sessions int             `json:"sessions"` // closed in each way
	Ways     []string        `json:"ways"`
	After    []time.Duration `json:"after_ns"` // a close, when memory is scanned
}

// Done is what it did.
type Done struct {
	Relayed  uint64 `json:"relayed_bytes"` // by the relay's own count
	Checked  uint64 `json:"checked_bytes"` // at the far end, one by one
	InTunnel uint64 `json:"in_tunnels_bytes"`
	Lost     uint64 `json:"lost_datagrams"` // of sessions without tunnels; tunnels mend it
	Planted  uint64 `json:"planted_blocks"`
}

// Group is some sessions that were closed together.
type Group struct {
	Number   int     `json:"number"`
	Way      string  `json:"way"`
	About    string  `json:"about"`
	Sessions int     `json:"sessions"` // opened
	Ended    int     `json:"ended"`    // that the relay counts as ended, for the reason of this way; or as idle, where an UNBIND was lost
	Checked  uint64  `json:"checked_bytes"`
	Planted  uint64  `json:"planted_blocks"`
	Begun    float64 `json:"begun"`
	Stopped  float64 `json:"stopped"` // the ends have sent their last byte
	Closed   float64 `json:"closed"`  // the relay has ended the last session
}

// Scan is one look through all readable memory of the relay.
type Scan struct {
	At     float64       `json:"at"`
	Moment Moment        `json:"moment"`
	Group  int           `json:"group"`
	Way    string        `json:"way"`
	Asked  time.Duration `json:"asked_ns,omitempty"` // after the close
	After  time.Duration `json:"after_ns,omitempty"` // when it was copied, in fact
	Took   time.Duration `json:"took_ns"`            // to copy
	Bytes  int64         `json:"bytes"`
	Own    int           `json:"own_blocks"` // of payload, of the group itself: in mid-session Counts has those of all
	Counts []Count       `json:"counts"`
	Places []string      `json:"places,omitempty"` // where something was that should not be, the first few
}

// Count is the result of a scan at one level.
type Count struct {
	Level   Level  `json:"level"`
	Planted uint64 `json:"planted"` // blocks, windows or identifiers that were looked for
	Found   int    `json:"found"`
	Claimed bool   `json:"claimed"` // to be zero
}

// Count returns what the scan gave at a level.
func (s Scan) Count(l Level) Count {
	for _, c := range s.Counts {
		if c.Level == l {
			return c
		}
	}
	return Count{Level: l}
}

// Detector is what one detector has seen.
type Detector struct {
	Name       string   `json:"name"`
	Findings   []string `json:"findings,omitempty"`
	Notes      []string `json:"notes,omitempty"`
	NotChecked []string `json:"not_checked,omitempty"`
	Blind      bool     `json:"blind,omitempty"` // it has looked at nothing at all
}

// Rate is the throughput of the relay at a time.
type Rate struct {
	At       float64 `json:"at"`
	GbitPerS float64 `json:"gbit_per_s"`
}

// Observed sorts what the observers tell by their detectors. Every name has an
// entry, so that a detector which saw nothing is listed, too.
func Observed(names []string, results observe.Result) []Detector {
	detectors := make([]Detector, len(names))
	for i, name := range names {
		d := &detectors[i]
		d.Name = name
		for _, f := range results.Findings {
			if f.Detector == name {
				d.Findings = append(d.Findings, f.What)
			}
		}
		for _, n := range results.Notes {
			if n.Detector == name {
				d.Notes = append(d.Notes, n.What)
			}
		}
		for _, g := range results.NotChecked {
			if g.Detector == name {
				d.NotChecked = append(d.NotChecked, g.Why)
				d.Blind = d.Blind || g.Blind
			}
		}
	}
	return detectors
}

// String is the scan as a line of progress.
func (s Scan) String() string {
	text := fmt.Sprintf("memory %s: %d MB", s.moment(), s.Bytes>>20)
	for _, c := range s.Counts {
		text += fmt.Sprintf(", %s %d of %d", c.Level, c.Found, c.Planted)
	}
	return text + fmt.Sprintf(", %d blocks of the group itself", s.Own)
}
