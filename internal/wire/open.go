package wire

const (
	// MaxGrant is the largest grant in bytes.
	MaxGrant = 4096
	// MaxIDToken is the largest ID token in bytes.
	MaxIDToken = 8192
	// ProofSize is the size of a proof of evidence, see package auth/ecv.
	ProofSize = 104
)

// Open asks the relay for a session with a router. The device's identity is
// the key of its connection.
type Open struct {
	// Router is the RouterID.
	Router [32]byte
	// Grant is the device's grant, an OpenSSH certificate in wire format of at
	// most MaxGrant bytes; empty for PurposePairing.
	Grant   []byte
	Purpose Purpose

	// What follows is evidence, see package auth/ecv. A device that has none, or
	// does not want to show it, leaves it out.

	// ObservationKey lets the relay name what it sees of the device's network
	// without telling the router more than whether it knows it.
	ObservationKey [32]byte
	// WiFi and Geo are proofs of ProofSize bytes; empty if there is none.
	WiFi, Geo []byte
	// IDToken is an OpenID Connect ID token in its compact form.
	IDToken string
}

// Type returns TypeOpen.
func (*Open) Type() Type { return TypeOpen }

func (m *Open) walk(f *fields) {
	f.array(2, m.Router[:], required)
	f.bytes(4, &m.Grant, MaxGrant, optional)
	f.purpose(6, &m.Purpose)
	f.array(1, m.ObservationKey[:], optional)
	f.fixed(3, &m.WiFi, ProofSize, optional)
	f.fixed(5, &m.Geo, ProofSize, optional)
	f.text(7, &m.IDToken, MaxIDToken, isPrintableASCII, optional)
}
