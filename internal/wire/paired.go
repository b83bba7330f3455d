package wire

// Paired gives a device its grant.
type Paired struct {
	// Grant is an OpenSSH certificate in wire format, at most MaxGrant bytes.
	Grant []byte
	// Name is what the router calls itself, see [ValidName]; empty if it does
	// not say.
	Name string
}

// Type returns TypePaired.
func (*Paired) Type() Type { return TypePaired }

func (m *Paired) walk(f *fields) {
	f.bytes(2, &m.Grant, MaxGrant, required)
	f.text(1, &m.Name, MaxName, isLabel, optional)
}
