package ecv

import "errors"

var (
	// ErrPolicy is wrapped by all errors of [Policy.Validate] and [ParsePolicy].
	ErrPolicy = errors.New("not an environment policy")
	// ErrAccepted is wrapped by all errors of [ParseAccepted].
	ErrAccepted = errors.New("not a list of accepted environments")
	// ErrPlace means that no place has these coordinates.
	ErrPlace = errors.New("not a place: give the latitude from -90 to 90 and the longitude from -180 to 180, in degrees")
	// ErrBSSID means that the text is not the address of a Wi-Fi access point.
	ErrBSSID = errors.New("not a BSSID: give the access point's address as six pairs of hex digits, as in aa:bb:cc:dd:ee:ff")
)
