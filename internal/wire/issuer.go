package wire

const maxIssuer = 512 // bytes

// Issuer names the OpenID provider whose ID tokens the relay takes.
type Issuer struct {
	// URL is the issuer's identifier, where its metadata is found.
	URL string
	// ClientID is what devices call themselves there, and the audience of the tokens.
	ClientID string
}

// Type returns TypeIssuer.
func (*Issuer) Type() Type { return TypeIssuer }

func (m *Issuer) walk(f *fields) {
	f.text(2, &m.URL, maxIssuer, isPrintableASCII, required)
	f.text(4, &m.ClientID, maxIssuer, isPrintableASCII, required)
}
