package wire

// MaxGrant is the largest grant in bytes.
const MaxGrant = 4096

// Open asks the relay for a session with a router. The device's identity is
// the key of its connection.
type Open struct {
	// Router is the RouterID.
	Router [32]byte
	// Grant is the device's grant, an OpenSSH certificate in wire format of at
	// most MaxGrant bytes; empty for PurposePairing.
	Grant   []byte
	Purpose Purpose
}

// Type returns TypeOpen.
func (*Open) Type() Type { return TypeOpen }

func (m *Open) walk(f *fields) {
	f.array(2, m.Router[:])
	f.bytes(4, &m.Grant, MaxGrant, optional)
	f.purpose(6, &m.Purpose)
}
