//go:build !linux

package lockdown

import "errors"

// notHere is what every control but Off meets on other systems.
var notHere = errors.New(`only Linux can lock a process down: run the relay on Linux, or set "lockdown: off" in relay.yaml`)

// A fixture is nothing here.
type fixture struct{}

// A step is nothing here.
type step struct{}

func steps() []step { return nil }

func enter(mode Mode, needs Needs, _ []step) (*Lockdown, error) {
	if mode == Require {
		return nil, notHere
	}
	return &Lockdown{mode: mode, needs: needs}, nil
}

func (l *Lockdown) verify(name string) Control {
	return Control{Name: name, How: "nothing was tried: this system is not Linux", Mend: "run the relay on Linux"}
}

func environment(mode Mode, warn func(string)) error {
	if mode == Require {
		return notHere
	}
	warn("only Linux can lock a process down: on this system nothing holds the relay")
	return nil
}
