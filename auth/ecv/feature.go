package ecv

import "iter"

// Feature is one kind of thing that is known of a device's environment. Its
// number is part of what is hashed and signed, so numbers never change.
type Feature uint8

const (
	Account Feature = iota // who the user is: an OIDC account, or else the device's key
	WiFi                   // the network that the device is in: SSID and BSSID
	Geo                    // where the device is: an S2 cell of [GeoLevel]
	Net                    // the source network as the relay sees it: IPv4 /20, IPv6 /40
	ASN                    // the autonomous system of the source address
	Country                // the country of the source address

	// Features is how many there are.
	Features = 6
)

// String returns the feature's name in policies, reasons and logs.
func (f Feature) String() string {
	switch f {
	case Account:
		return "account"
	case WiFi:
		return "wifi"
	case Geo:
		return "geo"
	case Net:
		return "net"
	case ASN:
		return "asn"
	case Country:
		return "country"
	}
	return "unknown"
}

// ParseFeature reads what [Feature.String] writes.
func ParseFeature(name string) (Feature, bool) {
	for f := range Feature(Features) {
		if f.String() == name {
			return f, true
		}
	}
	return 0, false
}

// Claimed tells whether the device claims the feature, with a proof. The relay
// vouches for all others.
func (f Feature) Claimed() bool { return f == WiFi || f == Geo }

// Set is a set of features.
type Set uint8

const everything = Set(1<<Features - 1)

// SetOf returns the set of these features.
func SetOf(features ...Feature) (s Set) {
	for _, f := range features {
		s |= 1 << f
	}
	return s
}

// Has tells whether f is in the set.
func (s Set) Has(f Feature) bool { return s&(1<<f) != 0 }

// All yields the features of the set in the order of their numbers.
func (s Set) All() iter.Seq[Feature] {
	return func(yield func(Feature) bool) {
		for f := range Feature(Features) {
			if s.Has(f) && !yield(f) {
				return
			}
		}
	}
}
