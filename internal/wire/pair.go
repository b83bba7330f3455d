package wire

// MaxName is the largest name of a device or router in bytes.
const MaxName = 64

// Pair asks a router for a grant for the device's key of this tunnel. It is
// all that a device sends in a session with [PurposePairing].
type Pair struct {
	// Proof shows that the device knows the pairing secret.
	Proof [32]byte
	// Name is what the device calls itself, see [ValidName]; empty if it does
	// not say.
	Name string
	// Invitation names the URI that the device holds, see package auth.
	Invitation [8]byte
}

// Type returns TypePair.
func (*Pair) Type() Type { return TypePair }

func (m *Pair) walk(f *fields) {
	f.array(2, m.Proof[:], required)
	f.text(1, &m.Name, MaxName, isLabel, optional)
	f.array(3, m.Invitation[:], optional)
}
