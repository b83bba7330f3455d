package drive

import (
	"crypto/rand"
	"fmt"
	"net/netip"
	"time"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/bench/retention/canary"
)

// tunnelsPerRouter is below the number of sessions that a router of the SDK takes.
const tunnelsPerRouter = 50

// grantTime is longer than any audit.
const grantTime = 24 * time.Hour

// cast makes keys, grants and addresses for a group, and remembers them to be
// looked for.
type cast struct {
	group  int
	addrs  []netip.Addr // that were given out
	sought []canary.Identifier
}

// from returns an address of this machine that nobody else in the audit has.
func (c *cast) from() netip.Addr {
	n := len(c.addrs)
	a := netip.AddrFrom4([4]byte{127, byte(16 + c.group), byte(1 + n/250), byte(1 + n%250)})
	c.addrs = append(c.addrs, a)
	c.sought = append(c.sought, canary.Address(c.name("address", n), a))
	return a
}

func (c *cast) name(what string, n int) string {
	return fmt.Sprintf("%s %d of group %d", what, n, c.group)
}

// routerKey makes a router. Its key is looked for when the group's routers go, too.
func (c *cast) router() (id *auth.Identity, pem []byte, err error) {
	if id, err = auth.NewIdentity(rand.Reader); err != nil {
		return nil, nil, err
	}
	pem, err = id.MarshalPEM()
	return id, pem, err
}

// device makes a device of a router.
func (c *cast) device(router *auth.Identity, n int) (d Device, err error) {
	id, err := auth.NewIdentity(rand.Reader)
	if err != nil {
		return d, err
	}
	d.Router = router.RouterID()
	if d.Identity, err = id.MarshalPEM(); err != nil {
		return d, err
	}
	now := time.Now()
	d.Grant, err = auth.Issue(router, auth.Grant{
		Device: id.PublicKey(), Role: auth.RoleOwner, Services: []string{service},
		NotBefore: now, NotAfter: now.Add(grantTime),
	}, rand.Reader)
	name := id.DeviceID()
	c.sought = append(c.sought,
		canary.Bytes(c.name("key of device", n), id.PublicKey()),
		canary.Bytes(c.name("id of device", n), name[:]),
		canary.Text(c.name("printed id of device", n), name.String()))
	return d, err
}

// ends makes the routers and devices of a group. So many of its sessions are bare,
// the others tunnels.
func (c *cast) ends(sessions, bare int) (r Routers, d Devices, err error) {
	var host *auth.Identity
	for i := range sessions {
		tunnel := i >= bare
		if i == 0 || tunnel && (i-bare)%tunnelsPerRouter == 0 {
			var pem []byte
			if host, pem, err = c.router(); err != nil {
				return r, d, err
			}
			if tunnel {
				r.Tunnels = append(r.Tunnels, pem)
			} else {
				r.Bare = append(r.Bare, BareRouter{pem, c.from()})
			}
		}
		device, err := c.device(host, i)
		if err != nil {
			return r, d, err
		}
		if !tunnel {
			device.From = c.from()
		}
		d.Devices = append(d.Devices, device)
	}
	return r, d, nil
}

// pairs makes the two ends of so many sessions without tunnels.
func (c *cast) pairs(sessions int) (f Full, err error) {
	for i := range sessions {
		host, pem, err := c.router()
		if err != nil {
			return f, err
		}
		device, err := c.device(host, i)
		if err != nil {
			return f, err
		}
		f.Sessions = append(f.Sessions, Pair{
			Router: BareRouter{pem, c.from()}, RouterID: device.Router,
			Device: device.Identity, Grant: device.Grant, DeviceFrom: c.from(),
		})
	}
	return f, nil
}

// know adds what the parts have told of their sessions. Addresses that a part
// chose itself are those of everybody on loopback, and are not looked for.
func (c *cast) know(n Named) {
	for i, secret := range n.Secrets {
		c.sought = append(c.sought, canary.Bytes(c.name("session id or secret", i), secret))
	}
}
