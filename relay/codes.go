package relay

import (
	"slices"

	"github.com/lethe-relay/lethe/internal/lockdown"
)

// modeCode is a lockdown mode that the log can name.
type modeCode uint8

var modes = [...]lockdown.Mode{lockdown.Off, lockdown.Prefer, lockdown.Require}

// String is the mode as relay.yaml has it.
func (c modeCode) String() string { return string(modes[c]) }

func codeOfMode(m lockdown.Mode) modeCode { return modeCode(max(slices.Index(modes[:], m), 0)) }

// controlCode is a retention control that the log can name.
type controlCode uint8

// controlNames are those of the kernel and of the packet buffers; the first stands
// for any other.
func controlNames() []string {
	return slices.Concat([]string{"another"}, lockdown.Names(), []string{buffersLocked, buffersUndumped, buffersWiped})
}

// String is the control's name.
func (c controlCode) String() string { return controlNames()[c] }

func codeOfControl(name string) controlCode {
	return controlCode(max(slices.Index(controlNames(), name), 0))
}
