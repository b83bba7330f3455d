package wire

import "fmt"

// Type is the first byte of every message, of both kinds.
type Type uint8

// The types of leg messages. They keep to 0x04..0x0f (RFC 9443, section 3).
const (
	TypeBind   Type = 0x04
	TypeCookie Type = 0x05
	TypeBound  Type = 0x06
	TypeUnbind Type = 0x07
)

// The types of frames. A removed number stays listed here as taken.
const (
	TypeError        Type = 0x10
	TypeRegister     Type = 0x11
	TypeRegistered   Type = 0x12
	TypeOpen         Type = 0x13
	TypeOpened       Type = 0x14
	TypeIncoming     Type = 0x15
	TypeAccept       Type = 0x16
	TypeMoved        Type = 0x17
	TypeLogin        Type = 0x18
	TypeIssuer       Type = 0x19
	TypeInspect      Type = 0x1a
	TypeHeld         Type = 0x1b
	TypeServiceOpen  Type = 0x20
	TypeServiceReady Type = 0x21
	TypePair         Type = 0x22
	TypePaired       Type = 0x23
	TypeEvidence     Type = 0x24
	TypeVerdict      Type = 0x25
	TypeConfirm      Type = 0x26
)

// String returns the name that the package documentation uses.
func (t Type) String() string {
	switch t {
	case TypeBind:
		return "BIND"
	case TypeCookie:
		return "COOKIE"
	case TypeBound:
		return "BOUND"
	case TypeUnbind:
		return "UNBIND"
	case TypeError:
		return "error"
	case TypeRegister:
		return "register"
	case TypeRegistered:
		return "registered"
	case TypeOpen:
		return "open"
	case TypeOpened:
		return "opened"
	case TypeIncoming:
		return "incoming"
	case TypeAccept:
		return "accept"
	case TypeMoved:
		return "moved"
	case TypeLogin:
		return "login"
	case TypeIssuer:
		return "issuer"
	case TypeInspect:
		return "inspect"
	case TypeHeld:
		return "held"
	case TypeServiceOpen:
		return "service-open"
	case TypeServiceReady:
		return "service-ready"
	case TypePair:
		return "pair"
	case TypePaired:
		return "paired"
	case TypeEvidence:
		return "evidence"
	case TypeVerdict:
		return "verdict"
	case TypeConfirm:
		return "confirm"
	}
	return fmt.Sprintf("type 0x%02x", uint8(t))
}
