package wire

import (
	"math"
	"time"
)

const maxSSID = 32 // bytes, IEEE 802.11

// Evidence tells the router where a device is, as far as the device knows and
// wants to tell. It is the first message on the first stream of a tunnel, and
// comes again when the device has another network. The answer is [Verdict].
type Evidence struct {
	// SSID and BSSID are of the connected Wi-Fi.
	SSID     []byte
	BSSID    [6]byte
	WiFiSeen time.Time // whole seconds
	// Cell is an S2 cell, see package auth/ecv.
	Cell    uint64
	GeoSeen time.Time // whole seconds
}

// Type returns TypeEvidence.
func (*Evidence) Type() Type { return TypeEvidence }

func (m *Evidence) walk(f *fields) {
	f.bytes(1, &m.SSID, maxSSID, optional)
	f.array(3, m.BSSID[:], optional)
	f.instant(5, &m.WiFiSeen)
	f.uint(7, &m.Cell, math.MaxUint64, optional)
	f.instant(9, &m.GeoSeen)
}
