package wire

// Purpose says what a device wants a session for.
type Purpose uint8

// The purposes of this version; any other number is refused.
const (
	PurposeTunnel  Purpose = 0 // use what a grant allows
	PurposePairing Purpose = 1 // obtain a grant, by the pairing secret
)

func (f *fields) purpose(key uint64, p *Purpose) {
	f.octet(key, (*uint8)(p), uint8(PurposePairing), optional)
}
