package journal

import (
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"time"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/internal/statefile"
)

// Event is what happened, a code of [a-z_].
type Event string

// The events.
const (
	Opened        Event = "opened"         // a session was judged
	Moved         Event = "moved"          // a living session was judged again
	Confirmed     Event = "confirmed"      // a person confirmed the device
	ConfirmFailed Event = "confirm_failed" // a PIN was wrong, or an owner refused
	Paired        Event = "paired"
	Shared        Event = "shared"   // By invited somebody; no Device
	Unshared      Event = "unshared" // By took back an invitation that nobody had accepted; no Device
	Revoked       Event = "revoked"
	Left          Event = "left" // the device unpaired itself
)

// Entry is one decision about a device. Event, Verdict and Reasons are codes of
// a-z, 0-9, '_' and '-': [Journal.Add] writes "?" for what is none, since it may
// be a value.
type Entry struct {
	At          time.Time     `json:"at"` // UTC, whole seconds
	Device      auth.DeviceID `json:"device,omitzero"`
	Event       Event         `json:"event"`
	Verdict     string        `json:"verdict,omitempty"`
	Score       int           `json:"score,omitempty"`
	Needed      int           `json:"needed,omitempty"` // the score that would have been enough
	Reasons     []string      `json:"reasons,omitempty"`
	By          auth.DeviceID `json:"by,omitzero"`            // who caused it; zero: the router's administrator, unless ByForgotten
	ByForgotten bool          `json:"by_forgotten,omitempty"` // it was a device that has been forgotten since
	Times       int           `json:"times"`                  // it happened, from At on within a minute
}

const (
	maxCode    = 32 // bytes, as for reasons
	maxReasons = 16 // so that a line has 1 KiB at most
	noCode     = "?"
)

// clean returns e as it is kept, sharing nothing with it.
func (e Entry) clean() Entry {
	e.At = e.At.UTC().Truncate(time.Second)
	e.Times = 1
	e.Event = Event(codeOr(string(e.Event), noCode))
	e.Reasons = slices.Clone(e.Reasons[:min(len(e.Reasons), maxReasons)])
	for i, reason := range e.Reasons {
		e.Reasons[i] = codeOr(reason, noCode)
	}
	if len(e.Reasons) == 0 {
		e.Reasons = nil
	}
	if e.Verdict != "" {
		e.Verdict = codeOr(e.Verdict, noCode)
	}
	return e
}

// codeOr returns s if it is a code, and otherwise the other.
func codeOr(s, other string) string {
	for _, c := range []byte(s) {
		if !('a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '_' || c == '-') {
			return other
		}
	}
	if s == "" || len(s) > maxCode {
		return other
	}
	return s
}

// payer is whose share of the journal the entry takes: the device's that it is
// about, or of who caused it.
func (e Entry) payer() auth.DeviceID {
	if (e.Device == auth.DeviceID{}) {
		return e.By
	}
	return e.Device
}

// repeats tells whether e is last once more, within a minute.
func (e Entry) repeats(last Entry) bool {
	gap := e.At.Sub(last.At)
	e.At, e.Times = last.At, last.Times
	return 0 <= gap && gap < writeEvery && reflect.DeepEqual(e, last)
}

// record is an entry and its line in the file.
type record struct {
	Entry
	line []byte
}

func newRecord(e Entry) (record, error) {
	line, err := json.Marshal(e)
	if err != nil { // a year that has no four digits
		return record{}, errors.New("the entry's time can't be written; set the router's clock")
	}
	return record{Entry: e, line: append(line, '\n')}, nil
}

// parseLine reads what newRecord wrote; false if that is not what the line is.
func parseLine(line []byte) (record, bool) {
	var e Entry
	if statefile.ParseJSON(line, &e) != nil || e.Times < 1 {
		return record{}, false
	}
	as := e.clean()
	as.Times = e.Times
	if len(e.Reasons) == 0 {
		e.Reasons = nil
	}
	if e.At = e.At.UTC(); !reflect.DeepEqual(e, as) {
		return record{}, false
	}
	r, err := newRecord(e)
	return r, err == nil
}
