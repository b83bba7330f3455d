package environment

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/lethe-relay/lethe/auth/ecv"
)

// None is what the user gives to show nothing of a feature.
const None = "none"

// Given is what the user said about a feature. The zero value: nothing, so that
// it is collected.
type Given[T any] struct {
	said  bool
	shown *T // nil: nothing
}

var (
	errSSID      = errors.New("--wifi-ssid must be a network's name of 1 to 32 bytes, or none to show no network")
	errOnlyBSSID = errors.New("--wifi-bssid says nothing without the network's name: add --wifi-ssid")
	errLocation  = errors.New("--location must be LAT,LON in degrees, such as 52.52,13.40, or none to show no place")
)

// ParseWiFi reads the flags --wifi-ssid and --wifi-bssid. Both empty: nothing was
// given. An empty bssid: the access point is not known. [None] alone shows no
// network; together with a bssid it is the name of a network. An error says
// which flag to mend, and never what was given.
func ParseWiFi(ssid, bssid string) (Given[ecv.Network], error) {
	var nothing Given[ecv.Network]
	switch {
	case ssid == "" && bssid == "":
		return nothing, nil
	case ssid == "":
		return nothing, errOnlyBSSID
	case ssid == None && bssid == "":
		return Given[ecv.Network]{said: true}, nil
	}
	n := ecv.Network{SSID: ssid}
	if bssid != "" {
		var err error
		if n.BSSID, err = ecv.ParseBSSID(bssid); err != nil {
			return nothing, fmt.Errorf("--wifi-bssid: %w", err)
		}
	}
	if !n.Valid() {
		return nothing, errSSID
	}
	return Given[ecv.Network]{said: true, shown: &n}, nil
}

// ParseLocation reads the flag --location: LAT,LON in decimal degrees, north and
// east positive. Empty: nothing was given. [None] shows no place. An error says
// how to write it, and never what was given.
func ParseLocation(text string) (Given[ecv.Place], error) {
	var nothing Given[ecv.Place]
	switch text {
	case "":
		return nothing, nil
	case None:
		return Given[ecv.Place]{said: true}, nil
	}
	latText, lonText, _ := strings.Cut(text, ",")
	lat, latErr := degrees(latText)
	lon, lonErr := degrees(lonText)
	if latErr != nil || lonErr != nil {
		return nothing, errLocation // not theirs, which repeat what was given
	}
	place, err := ecv.PlaceAt(lat, lon, time.Time{})
	if err != nil {
		return nothing, fmt.Errorf("--location: %w", err)
	}
	return Given[ecv.Place]{said: true, shown: &place}, nil
}

// degrees reads a plain decimal number. Go's other spellings, such as 0x1p4, inf
// and 1e1, are mistakes here.
func degrees(text string) (float64, error) {
	text = strings.TrimSpace(text)
	if strings.Trim(text, "+-.0123456789") != "" {
		return 0, strconv.ErrSyntax
	}
	return strconv.ParseFloat(text, 64)
}
