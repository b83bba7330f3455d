package wire

const (
	// MaxToken is the largest enrolment token in bytes.
	MaxToken = 64

	// MaxRevocations is the largest list of revocations in bytes.
	MaxRevocations = 10248

	maxVersion = 64 // bytes
)

// Register announces a router at the relay, for as long as its connection
// lives. The router's identity is the key of that connection. A later one on the
// same connection replaces what the first has said.
type Register struct {
	// Token is the relay's enrolment token, at most MaxToken bytes; empty if
	// the router has none.
	Token []byte
	// Version is the agent's version, printable ASCII without spaces; empty if
	// it does not say.
	Version string
	// Revocations are the grants that the router has taken back, in the wire
	// form of package auth; empty if there never were any. A relay that does not
	// know them asks the router, whose word is final.
	Revocations []byte
}

// Type returns TypeRegister.
func (*Register) Type() Type { return TypeRegister }

func (m *Register) walk(f *fields) {
	f.bytes(2, &m.Token, MaxToken, optional)
	f.text(1, &m.Version, maxVersion, isPrintableASCII, optional)
	f.bytes(3, &m.Revocations, MaxRevocations, optional)
}
