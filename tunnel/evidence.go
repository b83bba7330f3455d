package tunnel

import (
	"context"
	"crypto/tls"
	"math"
	"time"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/auth/ecv"
	"github.com/lethe-relay/lethe/internal/wire"
)

// Environment tells what a device knows of where it is. An app implements it
// with what its system lets it see, and leaves out what its user does not want
// to be seen: what that means is for the router's policy to say.
//
// It is asked for each tunnel, and again when a tunnel has moved to another
// network. It returns when ctx ends, which is after two seconds. An answer that
// is late, or an error, counts as knowing nothing, and so does a part of it that
// is not valid.
type Environment interface {
	Evidence(ctx context.Context) (ecv.Evidence, error)
}

// gather begins to ask the environment, which may be nil. What it returns waits
// for the answer, for as long as evidenceTimeout allows from now on; an
// environment that goes on for longer is not waited for.
func gather(ctx context.Context, env Environment) (wait func() ecv.Evidence) {
	if env == nil {
		return func() ecv.Evidence { return ecv.Evidence{} }
	}
	ctx, cancel := context.WithTimeout(ctx, evidenceTimeout)
	found := make(chan ecv.Evidence, 1)
	go func() {
		defer cancel()
		if e, err := env.Evidence(ctx); err == nil {
			found <- showable(e)
		}
	}()
	return func() (e ecv.Evidence) {
		<-ctx.Done()
		select {
		case e = <-found:
		default:
		}
		return e
	}
}

// showable leaves out what is not well formed: it counts as not known. An app's
// mistake about its surroundings must not keep it from its router.
func showable(e ecv.Evidence) ecv.Evidence {
	if e.WiFi != nil && !(e.WiFi.Valid() && canBeShown(e.WiFi.Seen)) {
		e.WiFi = nil
	}
	if e.Place != nil && !(e.Place.Valid() && canBeShown(e.Place.Seen)) {
		e.Place = nil
	}
	return e
}

// canBeShown tells whether a message can hold the time.
func canBeShown(t time.Time) bool { return t.Unix() > 0 && t.Unix() <= math.MaxUint32 }

// addProofs puts proofs of the evidence into a request, good for this connection to
// the relay only. Nothing of the evidence itself is in them.
func addProofs(m *wire.Open, secret [32]byte, e ecv.Evidence, cs tls.ConnectionState) error {
	if secret == [32]byte{} {
		return nil
	}
	binding, err := auth.ExportEvidence(cs)
	if err != nil {
		return err
	}
	c := ecv.Context{Binding: binding, Router: m.Router}
	m.ObservationKey = ecv.ObservationKey(secret)
	if e.WiFi != nil {
		m.WiFi = ecv.ProveWiFi(secret, *e.WiFi, c)
	}
	if e.Place != nil {
		m.Geo = ecv.ProveGeo(secret, *e.Place, c)
	}
	return nil
}

// wireEvidence is the evidence as it goes to the router, inside the tunnel.
func wireEvidence(e ecv.Evidence) *wire.Evidence {
	m := &wire.Evidence{}
	if e.WiFi != nil {
		m.SSID, m.BSSID, m.WiFiSeen = []byte(e.WiFi.SSID), e.WiFi.BSSID, e.WiFi.Seen
	}
	if e.Place != nil {
		m.Cell, m.GeoSeen = e.Place.Cell, e.Place.Seen
	}
	return m
}

// evidenceOf is the inverse. What is not well formed counts as not shown.
func evidenceOf(m *wire.Evidence) (e ecv.Evidence) {
	if n := (ecv.Network{SSID: string(m.SSID), BSSID: m.BSSID, Seen: m.WiFiSeen}); n.Valid() {
		e.WiFi = &n
	}
	if p := (ecv.Place{Cell: m.Cell, Seen: m.GeoSeen}); p.Valid() {
		e.Place = &p
	}
	return e
}
