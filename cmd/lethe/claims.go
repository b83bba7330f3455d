package main

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/golang/geo/s2"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/auth/ecv"
	"github.com/lethe-relay/lethe/internal/cli"
	"github.com/lethe-relay/lethe/tunnel/device"
)

// nothing is what leaves the device of a feature that it does not show.
const nothing = "nothing"

// claim is one feature as this device could show it.
type claim struct {
	Feature   string `json:"feature"`
	Here      string `json:"here"`               // in clear
	Leaves    string `json:"leaves"`             // what the relay gets of it
	Accepted  *bool  `json:"accepted,omitempty"` // by the grant; absent: nothing is shown, nobody asks, or only the relay knows
	Weight    uint8  `json:"weight"`             // what it adds to the score
	Mandatory bool   `json:"mandatory"`
}

// surroundings are what this device knows before it asks anybody.
type surroundings struct {
	router   *device.Router
	identity *auth.Identity
	login    *device.Login // nil if there is none
	evidence ecv.Evidence
	grant    auth.Grant
}

// claims says for each feature what there is, and how it stands to the grant.
func (s *surroundings) claims() []claim {
	var all []claim
	for f := range ecv.Feature(ecv.Features) {
		c := s.claim(f)
		c.Feature = f.String()
		if p := s.grant.Policy; p != nil {
			c.Weight, c.Mandatory = p.Weights[f], p.Mandatory.Has(f)
		} else {
			c.Accepted = nil // nobody asks
		}
		if c.Weight > 0 || f == ecv.Account || f.Claimed() {
			all = append(all, c)
		}
	}
	return all
}

func (s *surroundings) claim(f ecv.Feature) claim {
	switch f {
	case ecv.Account:
		return s.account()
	case ecv.WiFi:
		if n := s.evidence.WiFi; n != nil {
			return s.tagged(f, networkText(*n), ecv.WiFiTagID(s.router.Secret, *n))
		}
		return claim{Here: "not known", Leaves: nothing}
	case ecv.Geo:
		if p := s.evidence.Place; p != nil && p.Valid() {
			return s.tagged(f, placeText(*p), ecv.GeoTagIDs(s.router.Secret, *p)[0])
		}
		return claim{Here: "not known", Leaves: nothing}
	}
	return claim{Here: "as the relay sees it", Leaves: nothing}
}

// tagged is a claimed feature. Its proof tells a relay nothing but the tag.
func (s *surroundings) tagged(f ecv.Feature, here string, id ecv.TagID) claim {
	accepted := s.grant.Accepted.Has(f, id)
	return claim{Here: here, Leaves: "tag " + hex.EncodeToString(id[:4]), Accepted: &accepted}
}

// account is the one that the relay would vouch for: of the login, or else the
// device's key.
func (s *surroundings) account() claim {
	c := claim{Here: "this device's key", Leaves: "the key"}
	value := ecv.DeviceAccount(s.identity.PublicKey())
	if s.login != nil {
		c = claim{Here: "login at " + cli.Printable(s.login.Issuer), Leaves: "ID token"}
		value = accountOf(s.login.IDToken)
	}
	accepted := s.grant.Accepted.Has(ecv.Account, ecv.ObservationKey(s.router.Secret).TagID(ecv.Account, value))
	c.Accepted = &accepted
	return c
}

// accountOf reads issuer and subject of an ID token (RFC 7519 section 7.2), which
// was verified when it was stored. It returns nil for what is none.
func accountOf(token string) []byte {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return nil
	}
	var claims struct {
		Issuer  string `json:"iss"`
		Subject string `json:"sub"`
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil || json.Unmarshal(payload, &claims) != nil {
		return nil
	}
	return ecv.OIDCAccount(claims.Issuer, claims.Subject)
}

func networkText(n ecv.Network) string {
	if n.BSSID == [6]byte{} {
		return cli.Printable(n.SSID)
	}
	var pairs []string
	for _, b := range n.BSSID {
		pairs = append(pairs, hex.EncodeToString([]byte{b}))
	}
	return cli.Printable(n.SSID) + " (" + strings.Join(pairs, ":") + ")"
}

// placeText is the middle of the place's cell, which is about 1 km wide.
func placeText(p ecv.Place) string {
	at := s2.CellID(p.Cell).LatLng()
	return fmt.Sprintf("%.2f,%.2f", at.Lat.Degrees(), at.Lng.Degrees())
}
