package auth

// UnmarshalText makes a token a value of configuration files; see [ParseToken].
func (t *Token) UnmarshalText(text []byte) (err error) {
	*t, err = ParseToken(string(text))
	return err
}

// UnmarshalText makes a relay URL a value of configuration files; see [ParseRelayURL].
func (r *RelayURL) UnmarshalText(text []byte) (err error) {
	*r, err = ParseRelayURL(string(text))
	return err
}
