package lockdown

import "fmt"

// Mode says what becomes of a control that can't be put in force. The zero Mode is none of the three.
type Mode string

const (
	Require Mode = "require" // refuse to go on
	Prefer  Mode = "prefer"  // go on without it, and say so
	Off     Mode = "off"     // put nothing in force
)

// UnmarshalText accepts the three modes, as they stand in relay.yaml.
func (m *Mode) UnmarshalText(text []byte) error {
	switch mode := Mode(text); mode {
	case Require, Prefer, Off:
		*m = mode
		return nil
	}
	return fmt.Errorf("%q is not a lockdown mode; write require, prefer or off", text)
}

// MarshalText writes m such that UnmarshalText reads it back.
func (m Mode) MarshalText() ([]byte, error) { return []byte(m), nil }
