package lockdown

import "sync"

// Lockdown is what a process has put in force on itself, for good.
type Lockdown struct {
	mode  Mode
	needs Needs

	missing map[string]error // why a control could not be put in force
	fixture *fixture         // what the self-test tries things on; nil when off

	mu sync.Mutex // one self-test at a time
}

// Mode is the mode that Enter was given.
func (l *Lockdown) Mode() Mode { return l.mode }

// Enter locks the process down, on every thread and for good. Call it once, when everything that the
// process needs is open and before it handles anything that must not be kept.
//
// With Require an error says which controls are missing, why, and what to do about it. The process may then be
// locked down in part: let it end. With Prefer, what is missing is found in Verify's answer.
func Enter(mode Mode, needs Needs) (*Lockdown, error) {
	switch mode {
	case Off:
		return &Lockdown{mode: mode, needs: needs}, nil
	case Require, Prefer:
		return enter(mode, needs, steps())
	}
	return nil, new(Mode).UnmarshalText([]byte(mode))
}

// Verify runs the self-test: it really tries what must not work, reads back what can't be tried, and tells each control by what it got.
// It may be called at any time and by several goroutines. It takes about a millisecond, starts
// nothing and leaves nothing behind.
func (l *Lockdown) Verify() []Control {
	l.mu.Lock()
	defer l.mu.Unlock()
	controls := make([]Control, 0, len(Names()))
	for _, name := range Names() {
		controls = append(controls, l.verify(name))
	}
	return controls
}
