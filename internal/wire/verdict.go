package wire

// Verdicts of a router about a tunnel.
const (
	VerdictDeny   uint8 = 1
	VerdictStepUp uint8 = 2
	VerdictAllow  uint8 = 3
)

const (
	maxScore    = 1000
	maxReasons  = 512  // bytes
	maxWithheld = 2112 // bytes: as many services as a grant can have
)

// Verdict is the router's word on what a device shows of its environment. It
// answers [Evidence] and [Confirm], and comes without being asked when the
// verdict on a living tunnel has changed.
type Verdict struct {
	Verdict uint8 // VerdictDeny, VerdictStepUp or VerdictAllow
	// Score and Needed are points: what the evidence is worth, and what would be
	// enough.
	Score, Needed uint64
	// Reasons are codes joined by commas, as package auth/ecv lists them.
	Reasons string
	// Grant is a fresh grant that takes the place of the device's, if there is one.
	Grant []byte
	// PIN and Approval tell which confirmations the router takes.
	PIN, Approval bool
	// Withheld are services, joined by commas, that the grant has and that stay
	// shut until the device has been confirmed.
	Withheld string
}

// Type returns TypeVerdict.
func (*Verdict) Type() Type { return TypeVerdict }

func (m *Verdict) walk(f *fields) {
	f.octet(2, &m.Verdict, VerdictAllow, required)
	f.uint(1, &m.Score, maxScore, optional)
	f.uint(3, &m.Needed, maxScore, optional)
	f.text(5, &m.Reasons, maxReasons, isReasons, optional)
	f.bytes(7, &m.Grant, MaxGrant, optional)
	f.flag(9, &m.PIN)
	f.flag(11, &m.Approval)
	f.text(13, &m.Withheld, maxWithheld, isServices, optional)
}
