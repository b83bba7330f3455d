package wire

import "time"

// Registered tells a router that it is present. Its times travel in whole
// seconds, rounded up.
type Registered struct {
	// IdleTimeout is how long a session lives without a datagram.
	IdleTimeout time.Duration
	// PresenceTimeout is how long a silent router stays present.
	PresenceTimeout time.Duration
	// Newer tells that the relay knows newer revocations of the router than it has
	// told, and goes by those.
	Newer bool
}

// Type returns TypeRegistered.
func (*Registered) Type() Type { return TypeRegistered }

func (m *Registered) walk(f *fields) {
	f.seconds(1, &m.IdleTimeout, required)
	f.seconds(3, &m.PresenceTimeout, required)
	f.flag(5, &m.Newer)
}
