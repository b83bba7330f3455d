package wire

// Opened gives a device its leg of a session that the router has accepted.
type Opened struct {
	Leg    LegID
	Secret LegSecret
}

// Type returns TypeOpened.
func (*Opened) Type() Type { return TypeOpened }

func (m *Opened) walk(f *fields) {
	f.legID(2, &m.Leg)
	f.array(4, m.Secret[:], required)
}
