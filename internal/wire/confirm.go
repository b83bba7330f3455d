package wire

const maxPIN = 64 // bytes

// Confirm asks the router to let a device in although its environment is new.
// The answer is [Verdict] or [Error]; for an approval it comes when an owner
// has decided.
type Confirm struct {
	// PIN is the router's; empty asks for the approval of another device.
	PIN string
}

// Type returns TypeConfirm.
func (*Confirm) Type() Type { return TypeConfirm }

func (m *Confirm) walk(f *fields) { f.text(2, &m.PIN, maxPIN, isLabel, optional) }
