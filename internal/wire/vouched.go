package wire

// TagID names a value of evidence without telling it, see package auth/ecv. All
// zero is none.
type TagID [16]byte

// Vouched is what the relay says of a device's environment.
type Vouched struct {
	Account, Net, ASN, Country TagID
	// Limited tells that the relay carries the session within the limits of a
	// step-up only.
	Limited bool
	// Accounts tells that the relay has an account system: then a device's key is
	// no account, and Account is what the relay has verified.
	Accounts bool
}

func (v *Vouched) walk(f *fields) {
	f.array(1, v.Account[:], optional)
	f.array(3, v.Net[:], optional)
	f.array(5, v.ASN[:], optional)
	f.array(7, v.Country[:], optional)
	f.flag(9, &v.Limited)
	f.flag(11, &v.Accounts)
}
