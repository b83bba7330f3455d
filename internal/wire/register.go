package wire

const (
	// MaxToken is the largest enrolment token in bytes.
	MaxToken = 64

	maxVersion = 64 // bytes
)

// Register announces a router at the relay. It is the first message on the
// stream that the router keeps open for as long as it is present. The router's
// identity is the key of its connection.
type Register struct {
	// Token is the relay's enrolment token, at most MaxToken bytes; empty if
	// the router has none.
	Token []byte
	// Version is the agent's version, printable ASCII without spaces; empty if
	// it does not say.
	Version string
}

// Type returns TypeRegister.
func (*Register) Type() Type { return TypeRegister }

func (m *Register) walk(f *fields) {
	f.bytes(2, &m.Token, MaxToken, optional)
	f.text(1, &m.Version, maxVersion, isPrintableASCII, optional)
}
