package wire

// MaxReceipt is the largest receipt of an erasure in bytes.
const MaxReceipt = 2048

// Held says what the relay holds, or held until it was asked to erase it.
type Held struct {
	// Sessions between the device and the router.
	Sessions uint64
	// Bytes that they have carried so far.
	Bytes uint64
	// Connections of the device to the relay's control plane, with the one that asks.
	Connections uint64
	// Receipt confirms an erasure; it is an auth.Receipt in JSON. Empty if
	// nothing was to be erased.
	Receipt []byte
}

// Type returns TypeHeld.
func (*Held) Type() Type { return TypeHeld }

func (m *Held) walk(f *fields) {
	f.count(1, &m.Sessions)
	f.count(3, &m.Bytes)
	f.count(5, &m.Connections)
	f.bytes(7, &m.Receipt, MaxReceipt, optional)
}
