package agent

import (
	"time"

	"github.com/lethe-relay/lethe/tunnel"
)

// remember keeps when and where the device was let in, and returns a fresh
// grant if its own does not say what it should. What a person has confirmed is
// learned as another environment. On an error nothing is changed.
func (a *Agent) remember(c tunnel.Case, confirmed bool, now time.Time) (grant []byte, err error) {
	err = a.devices.edit(c.Device.ID(), func(one *PairedDevice) (write bool, err error) {
		if !one.gave(c.Device.Grant.Serial) { // it has paired again meanwhile
			return false, nil
		}
		one.LastUsed = now.UTC().Truncate(time.Second)
		if a.issuer.policy != nil {
			write = a.learn(one, c, confirmed, now)
		}
		before := *one
		grant, err = a.renew(one, c.Device, now)
		return write || one.Serial != before.Serial || len(one.Learned) != len(before.Learned), err
	})
	if err != nil {
		return nil, err
	}
	return grant, nil
}

// renew gives the device a fresh grant, unless its own says what it should. A
// fresh grant can get lost. So the one that it replaces stays good until the
// fresh one is shown, and a device that goes on showing the old one, in another
// session perhaps, is given the fresh one again, under the same number: never
// are more than two good.
func (a *Agent) renew(one *PairedDevice, d tunnel.Device, now time.Time) (grant []byte, err error) {
	switch shown := d.Grant.Serial; {
	case a.issuer.upToDate(d.Grant, *one):
		return nil, nil
	case shown == one.Serial:
		one.Replaced, one.Serial = shown, a.devices.nextSerial()
	case shown != one.Replaced:
		return nil, nil // an old tunnel: the device has shown a newer grant since
	}
	return a.issuer.fit(one, d.Key, now)
}

// learn takes what the case shows into what is known, and tells whether that is
// worth writing. Without a person's word it takes only what can't get the device
// more than it has: features of which nothing was known, once it may do
// everything. Else a thief would be let in to an easy service, and teach the
// router his own surroundings there.
func (a *Agent) learn(one *PairedDevice, c tunnel.Case, confirmed bool, now time.Time) (changed bool) {
	at := now
	if confirmed { // what the device has shown, and no more, is what was confirmed
		at = shownAt(c, now)
	}
	c = a.current(c, at)
	tags := shown(c, [32]byte(one.Secret))
	if confirmed || len(one.Learned) == 0 {
		one.Learned, changed = learned(one.Learned, tags, now), true
	} else {
		one.Learned, changed = recognised(one.Learned, tags, a.seenStep(), now)
		if a.mayAll(c, *one, now) {
			more, found := completed(one.Learned, tags)
			one.Learned, changed = more, changed || found
		}
	}
	if p := c.Evidence.Place; p != nil && (one.Place == nil || !p.Seen.Before(one.Place.Seen)) {
		one.Place = (*Place)(p) // written within the hour: who travels must not wear the flash out
	}
	return changed
}
