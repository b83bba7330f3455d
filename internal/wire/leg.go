package wire

import "encoding/binary"

// LegMessageSize is the size of every leg message in bytes.
const LegMessageSize = 52

const legVersion = 1

// Offsets of a leg message's parts; the package documentation draws them.
const (
	versionOffset  = 1
	reservedOffset = 2
	legOffset      = 4
	counterOffset  = 12
	cookieOffset   = 20
	macOffset      = 36
)

// LegID names a leg at the relay. It is random and never 0, and not a secret.
type LegID uint64

// Cookie proves that an endpoint receives at the address it sends from. Only
// the relay that made it can tell what it means.
type Cookie [16]byte

// LegMessage is a leg message without its MAC. All types share one layout.
type LegMessage struct {
	// Type is TypeBind, TypeCookie, TypeBound or TypeUnbind.
	Type Type
	Leg  LegID
	// Counter rises with every BIND and UNBIND of a leg and starts above 0.
	// COOKIE and BOUND repeat the counter of the BIND that they answer.
	Counter uint64
	// Cookie is set in COOKIE, and in a BIND that echoes it. It is zero in the
	// BIND of an endpoint that has none, and always in BOUND and UNBIND.
	Cookie Cookie
}

// IsQUIC tells whether a datagram on the shared port is for QUIC, by the fixed
// bit that all its packets carry (RFC 9000, section 17; RFC 9443). The others
// are leg messages or noise.
func IsQUIC(b []byte) bool {
	return len(b) > 0 && b[0]&0x40 != 0
}

// ParseLegMessage parses a datagram that holds one leg message. It checks the
// layout but not the MAC: the message is to be believed only after
// [VerifyLegMessage], with the secret of the leg that it names. It keeps no
// reference to b and does not allocate.
func ParseLegMessage(b []byte) (LegMessage, error) {
	if len(b) != LegMessageSize {
		return LegMessage{}, ErrLegSize
	}
	m := LegMessage{
		Type:    Type(b[0]),
		Leg:     LegID(binary.BigEndian.Uint64(b[legOffset:])),
		Counter: binary.BigEndian.Uint64(b[counterOffset:]),
		Cookie:  Cookie(b[cookieOffset:macOffset]),
	}
	switch {
	case !m.Type.isLeg():
		return LegMessage{}, ErrLegType
	case b[versionOffset] != legVersion:
		return LegMessage{}, ErrLegVersion
	case binary.BigEndian.Uint16(b[reservedOffset:]) != 0:
		return LegMessage{}, ErrLegReserved
	case m.Cookie != Cookie{} && !m.Type.hasCookie():
		return LegMessage{}, ErrLegCookie
	}
	return m, nil
}

// Append appends the message with its MAC to b and returns the result. It
// allocates only if b has no room for LegMessageSize bytes. The caller answers
// for a Type and Cookie that go together; anything else the receiver refuses.
func (m LegMessage) Append(b []byte, key *LegSecret) []byte {
	start := len(b)
	b = append(b, byte(m.Type), legVersion, 0, 0)
	b = binary.BigEndian.AppendUint64(b, uint64(m.Leg))
	b = binary.BigEndian.AppendUint64(b, m.Counter)
	b = append(b, m.Cookie[:]...)
	mac := key.mac(b[start:])
	return append(b, mac[:]...)
}

func (t Type) isLeg() bool { return t >= TypeBind && t <= TypeUnbind }

func (t Type) hasCookie() bool { return t == TypeBind || t == TypeCookie }
