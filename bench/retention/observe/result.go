package observe

import (
	"errors"
	"slices"
)

// ErrSystem is why there is no audit on other systems.
var ErrSystem = errors.New("the auditor needs Linux")

// The names of detectors, as reports show them.
const (
	DetectorDescriptors = "descriptors"
	DetectorMappings    = "mappings"
	DetectorWriteBytes  = "write_bytes"
	DetectorFileEvents  = "file_events"
	DetectorSystemCalls = "system_calls"
	DetectorOutput      = "output"
	DetectorMetrics     = "metrics"
	DetectorEgress      = "egress"
	DetectorMemory      = "memory"
	DetectorContent     = "content"
	DetectorSwap        = "swap"
	DetectorProcesses   = "processes"
	DetectorCore        = "core"
)

// Finding is something that a relay which keeps nothing doesn't do, as one sentence.
type Finding struct {
	Detector string `json:"detector"`
	What     string `json:"what"`
}

// Gap is something that was not checked, and why, as one sentence.
type Gap struct {
	Detector string `json:"detector"`
	Why      string `json:"why"`
	Blind    bool   `json:"blind,omitempty"` // the detector has looked at nothing at all
}

// Result is what an observer has to tell. The zero value is "looked at everything, found nothing".
type Result struct {
	Findings   []Finding `json:"findings,omitempty"`
	Notes      []Finding `json:"notes,omitempty"` // worth reading, and nothing wrong: "refused by the kernel: …"
	NotChecked []Gap     `json:"not_checked,omitempty"`
}

// Add appends what another observer has told.
func (r *Result) Add(o Result) {
	r.Findings = append(r.Findings, o.Findings...)
	r.Notes = append(r.Notes, o.Notes...)
	r.NotChecked = append(r.NotChecked, o.NotChecked...)
}

// found, note, gap and blind append one sentence, unless it is there already.
func (r *Result) found(detector, what string) {
	if f := (Finding{detector, what}); !slices.Contains(r.Findings, f) {
		r.Findings = append(r.Findings, f)
	}
}

func (r *Result) note(detector, what string) {
	if f := (Finding{detector, what}); !slices.Contains(r.Notes, f) {
		r.Notes = append(r.Notes, f)
	}
}

func (r *Result) gap(detector, why string) {
	r.miss(Gap{Detector: detector, Why: why})
}

func (r *Result) blind(detector, why string) {
	r.miss(Gap{Detector: detector, Why: why, Blind: true})
}

func (r *Result) miss(g Gap) {
	if !slices.Contains(r.NotChecked, g) {
		r.NotChecked = append(r.NotChecked, g)
	}
}
