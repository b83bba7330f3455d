package ecv

import (
	"crypto/ed25519"
	"encoding/binary"
	"net/netip"
)

// An account is one of two kinds, and the first byte of its value says which.
const (
	accountDevice byte = 0
	accountOIDC   byte = 1
)

const (
	netBits4 = 20 // of an IPv4 source address; a household's address changes within a provider's block
	netBits6 = 40 // of an IPv6 source address
)

// DeviceAccount returns the account where the relay has no account system: the
// device's own key. It returns nil for what is not such a key.
func DeviceAccount(device ed25519.PublicKey) []byte {
	if len(device) != ed25519.PublicKeySize {
		return nil
	}
	return append([]byte{accountDevice}, device...)
}

// OIDCAccount returns the account of a verified ID token (OpenID Connect Core
// section 2: issuer and subject together name a person). It returns nil if one
// of them is empty.
func OIDCAccount(issuer, subject string) []byte {
	if issuer == "" || subject == "" {
		return nil
	}
	value := append([]byte{accountOIDC}, lengthPrefix(issuer)...)
	value = append(value, issuer...)
	value = append(value, lengthPrefix(subject)...)
	return append(value, subject...)
}

func lengthPrefix(s string) []byte { return binary.BigEndian.AppendUint32(nil, uint32(len(s))) }

// NetValue returns the network of a source address: the first 20 bits of an
// IPv4 address, mapped into IPv6 or not, or the first 40 of an IPv6 address. It
// returns nil for the zero address.
func NetValue(source netip.Addr) []byte {
	source = source.Unmap()
	bits := netBits6
	if source.Is4() {
		bits = netBits4
	}
	network, err := source.Prefix(bits)
	if err != nil {
		return nil
	}
	return network.Addr().AsSlice()
}

// ASNValue returns the value of an autonomous system's number; nil for 0, which
// no system has (RFC 7607).
func ASNValue(asn uint32) []byte {
	if asn == 0 {
		return nil
	}
	return binary.BigEndian.AppendUint32(nil, asn)
}

// CountryValue returns the value of a country's code, such as "DE" (ISO 3166-1
// alpha-2). It returns nil for what is not two capital letters.
func CountryValue(iso string) []byte {
	if len(iso) != 2 || !capital(iso[0]) || !capital(iso[1]) {
		return nil
	}
	return []byte(iso)
}

func capital(b byte) bool { return b >= 'A' && b <= 'Z' }
