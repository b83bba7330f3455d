package wire

// Moved tells a router that the device of a session has another network now,
// and what the relay says of it. The router answers with [Accept].
type Moved struct {
	Leg     LegID // the router's own leg of the session
	Vouched Vouched
}

// Type returns TypeMoved.
func (*Moved) Type() Type { return TypeMoved }

func (m *Moved) walk(f *fields) {
	f.legID(2, &m.Leg)
	m.Vouched.walk(f)
}
