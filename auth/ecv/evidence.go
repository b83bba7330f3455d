package ecv

import (
	"encoding/hex"
	"strings"
	"time"

	"github.com/golang/geo/s2"
)

const (
	// PlaceLevel is the S2 level of a [Place]: cells of about 1 km.
	PlaceLevel = 13
	// GeoLevel is the S2 level of the cells that tags are made of: about 8 km.
	GeoLevel = 10

	maxSSID = 32 // bytes, IEEE 802.11-2020 section 9.4.2.2
)

// Evidence is what a device knows of its environment, in clear. It stays on the
// device, and goes to the router inside the tunnel only. What is nil is not
// known, or the device may not say it.
type Evidence struct {
	WiFi  *Network
	Place *Place
}

// Network is the Wi-Fi network that a device is in.
type Network struct {
	SSID  string  // 1 to 32 bytes, any
	BSSID [6]byte // the access point's address; zero: not known
	Seen  time.Time
}

// Place is where a device is, within about 1 km.
type Place struct {
	Cell uint64 // S2 cell ID of [PlaceLevel]
	Seen time.Time
}

// PlaceAt returns the place at these coordinates, in degrees. The error is
// [ErrPlace].
func PlaceAt(latitude, longitude float64, seen time.Time) (Place, error) {
	ll := s2.LatLngFromDegrees(latitude, longitude)
	if !ll.IsValid() { // NaN is not valid either
		return Place{}, ErrPlace
	}
	return Place{Cell: uint64(s2.CellIDFromLatLng(ll).Parent(PlaceLevel)), Seen: seen}, nil
}

// Valid tells whether the place is a cell of [PlaceLevel]. The router asks it
// of what came over the wire.
func (p Place) Valid() bool {
	cell := s2.CellID(p.Cell)
	return cell.IsValid() && cell.Level() == PlaceLevel
}

// geoCell returns the cell that the place's tag is made of.
func (p Place) geoCell() s2.CellID { return s2.CellID(p.Cell).Parent(GeoLevel) }

// Valid tells whether there can be such a network.
func (n Network) Valid() bool {
	return len(n.SSID) >= 1 && len(n.SSID) <= maxSSID && !multicast(n.BSSID)
}

// multicast looks at the group bit, IEEE 802-2014 section 8.2.2. No access
// point has such an address.
func multicast(address [6]byte) bool { return address[0]&1 != 0 }

// ParseBSSID reads an access point's address, such as "aa:bb:cc:dd:ee:ff". The
// error is [ErrBSSID]: for other texts, multicast addresses, and all zeros.
func ParseBSSID(s string) (bssid [6]byte, err error) {
	parts := strings.Split(s, ":")
	if len(parts) != len(bssid) {
		return [6]byte{}, ErrBSSID
	}
	for i, part := range parts {
		b, err := hex.DecodeString(part)
		if err != nil || len(b) != 1 {
			return [6]byte{}, ErrBSSID
		}
		bssid[i] = b[0]
	}
	if multicast(bssid) || bssid == [6]byte{} {
		return [6]byte{}, ErrBSSID
	}
	return bssid, nil
}
