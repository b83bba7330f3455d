package wire

// Incoming offers a router a session that a device asks for, and gives it its
// leg. The router checks the grant itself, binds the leg, and answers with
// [Accept] or [Error] on the same stream.
type Incoming struct {
	Leg    LegID
	Secret LegSecret
	// Device is the Ed25519 public key of the device's connection to the relay.
	Device [32]byte
	// Grant and Purpose are those of the device's Open.
	Grant   []byte
	Purpose Purpose
	Vouched Vouched
}

// Type returns TypeIncoming.
func (*Incoming) Type() Type { return TypeIncoming }

func (m *Incoming) walk(f *fields) {
	f.legID(2, &m.Leg)
	f.array(4, m.Secret[:], required)
	f.array(6, m.Device[:], required)
	f.bytes(8, &m.Grant, MaxGrant, optional)
	f.purpose(10, &m.Purpose)
	m.Vouched.walk(f)
}
