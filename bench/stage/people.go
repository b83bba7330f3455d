package stage

import (
	"crypto/rand"
	"time"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/bench/part"
)

// Router is a router's key, and what it is known by.
type Router struct {
	PEM []byte
	ID  auth.RouterID

	identity *auth.Identity
}

// Device is a device's key, and the grant that its router has given it.
type Device struct{ PEM, Grant []byte }

// NewRouter makes a router.
func (s *Stage) NewRouter() (r Router) {
	if s.err == nil {
		r, s.err = newRouter()
	}
	return r
}

// NewDevice makes a device that the router has granted every service for an
// hour. demand puts into the grant what else it says; nil for nothing.
func (s *Stage) NewDevice(r Router, demand func(*auth.Grant)) (d Device) {
	if s.err == nil {
		d, s.err = r.newDevice(time.Now(), demand)
	}
	return d
}

func newRouter() (r Router, err error) {
	if r.identity, err = auth.NewIdentity(rand.Reader); err != nil {
		return r, err
	}
	r.ID = r.identity.RouterID()
	r.PEM, err = r.identity.MarshalPEM()
	return r, err
}

func (r Router) newDevice(now time.Time, demand func(*auth.Grant)) (d Device, err error) {
	device, err := auth.NewIdentity(rand.Reader)
	if err != nil {
		return d, err
	}
	if d.PEM, err = device.MarshalPEM(); err != nil {
		return d, err
	}
	g := auth.Grant{
		Device: device.PublicKey(), Role: auth.RoleOwner, Services: []string{auth.AllServices},
		NotBefore: now, NotAfter: now.Add(time.Hour),
	}
	if demand != nil {
		demand(&g)
	}
	d.Grant, err = auth.Issue(r.identity, g, rand.Reader)
	return d, err
}

// Pairs makes routers, each with a device.
func (s *Stage) Pairs(n int) (pairs []part.Pair) {
	for range n {
		router := s.NewRouter()
		device := s.NewDevice(router, nil)
		pairs = append(pairs, part.Pair{Router: router.PEM, Device: device.PEM, Grant: device.Grant})
	}
	return pairs
}
