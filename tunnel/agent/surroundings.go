package agent

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/lethe-relay/lethe/auth/ecv"
	"github.com/lethe-relay/lethe/tunnel"
)

// maxSurroundings is how many of one device are kept; those not seen for the
// longest time make room. All their tags fit a grant.
const maxSurroundings = 8

// seenStep is how exactly it is kept when surroundings were seen last: each
// change is written to flash.
const seenStep = 24 * time.Hour

// seenStep is less where surroundings are kept for so short that a day would
// make those in daily use look old.
func (a *Agent) seenStep() time.Duration {
	return min(seenStep, time.Duration(a.cfg.Retention.Environments)/4)
}

// Surroundings are one environment in which the router has let a device in. It
// keeps tags, not values: no network's name, no place. A value is never changed.
type Surroundings struct {
	LearnedAt time.Time `json:"learned_at"`
	SeenAt    time.Time `json:"seen_at"` // to the day
	Tags      []Tag     `json:"tags"`
}

// Tag is the tag of one feature, as package auth/ecv makes it.
type Tag ecv.Entry

// MarshalText writes "wifi:" and the tag in hex.
func (t Tag) MarshalText() ([]byte, error) {
	return fmt.Appendf(nil, "%s:%x", t.Feature, t.ID), nil
}

// UnmarshalText is the inverse.
func (t *Tag) UnmarshalText(text []byte) error {
	name, digits, _ := strings.Cut(string(text), ":")
	f, known := ecv.ParseFeature(name)
	if !known || len(digits) != 2*len(t.ID) {
		return fmt.Errorf("a tag must be a feature, a colon, and %d digits in hex", 2*len(t.ID))
	}
	t.Feature = f
	_, err := hex.Decode(t.ID[:], []byte(digits))
	return err
}

// shown are the tags of what a device shows, and of what the relay says of it.
// Of a place the first one is that of its own cell.
func shown(c tunnel.Case, secret [32]byte) []Tag {
	var tags []Tag
	add := func(f ecv.Feature, id ecv.TagID) {
		if id != (ecv.TagID{}) {
			tags = append(tags, Tag{f, id})
		}
	}
	add(ecv.Account, c.Vouched.Account)
	if c.Evidence.WiFi != nil {
		add(ecv.WiFi, ecv.WiFiTagID(secret, *c.Evidence.WiFi))
	}
	if c.Evidence.Place != nil {
		for _, id := range ecv.GeoTagIDs(secret, *c.Evidence.Place) {
			add(ecv.Geo, id)
		}
	}
	add(ecv.Net, c.Vouched.Net)
	add(ecv.ASN, c.Vouched.ASN)
	add(ecv.Country, c.Vouched.Country)
	return tags
}

// accepted are the tags of all surroundings.
func accepted(all []Surroundings) ecv.Accepted {
	var entries []ecv.Entry
	for _, s := range all {
		for _, t := range s.Tags {
			entries = append(entries, ecv.Entry(t))
		}
	}
	return ecv.NewAccepted(entries...)
}

// learned returns all with surroundings of these tags among them, as the last.
// Those that show no more than these are replaced.
func learned(all []Surroundings, tags []Tag, now time.Time) []Surroundings {
	if len(tags) == 0 {
		return all
	}
	at := now.UTC().Truncate(time.Second)
	next := slices.DeleteFunc(slices.Clone(all), func(s Surroundings) bool { return s.within(tags) })
	for len(next) >= maxSurroundings {
		next = withoutOldest(next)
	}
	return append(next, Surroundings{LearnedAt: at, SeenAt: at, Tags: tags})
}

func (s Surroundings) within(tags []Tag) bool {
	return !slices.ContainsFunc(s.Tags, func(t Tag) bool { return !slices.Contains(tags, t) })
}

// withoutOldest leaves out those that were not seen for the longest time.
func withoutOldest(all []Surroundings) []Surroundings {
	oldest := slices.MinFunc(all, func(a, b Surroundings) int { return a.SeenAt.Compare(b.SeenAt) })
	i := slices.IndexFunc(all, func(s Surroundings) bool { return s.SeenAt.Equal(oldest.SeenAt) })
	return slices.Delete(slices.Clone(all), i, i+1)
}

// isLocal tells whether a feature tells one place from another. The account is
// the same wherever the device is; provider and country are in many places.
func (t Tag) isLocal() bool {
	return t.Feature == ecv.WiFi || t.Feature == ecv.Geo || t.Feature == ecv.Net
}

// isHere tells whether tags are of these surroundings: Wi-Fi, cell or network is
// the same. What is not local counts only where there is nothing else.
func (s Surroundings) isHere(tags []Tag) bool {
	local, placed := slices.ContainsFunc(s.Tags, Tag.isLocal), false
	for _, t := range tags {
		if t.Feature == ecv.Geo && placed {
			continue // a cell beside the one that the device is in
		}
		placed = placed || t.Feature == ecv.Geo
		if t.isLocal() == local && slices.Contains(s.Tags, t) {
			return true
		}
	}
	return false
}

// recognised returns all with the time noted in those that these tags are of,
// and whether that is worth writing: it is once a step.
func recognised(all []Surroundings, tags []Tag, step time.Duration, now time.Time) (next []Surroundings, changed bool) {
	next = slices.Clone(all)
	for i, s := range next {
		if now.Sub(s.SeenAt) >= step && s.isHere(tags) {
			next[i].SeenAt = now.UTC().Truncate(time.Second)
			changed = true
		}
	}
	return next, changed
}

// completed returns all with the tags of features of which nothing was known: a
// phone may get the permission to see them after its pairing. They go to the
// surroundings that the device is in.
func completed(all []Surroundings, tags []Tag) (next []Surroundings, changed bool) {
	known := accepted(all)
	fresh := slices.DeleteFunc(slices.Clone(tags), func(t Tag) bool { return known.Any(t.Feature) })
	i := slices.IndexFunc(all, func(s Surroundings) bool { return s.isHere(tags) })
	if len(fresh) == 0 || i < 0 {
		return all, false
	}
	next = slices.Clone(all)
	next[i].Tags = slices.Concat(next[i].Tags, fresh)
	return next, true
}

// kept returns those that were seen after the time given, and whether any was not.
func kept(all []Surroundings, after time.Time) (next []Surroundings, changed bool) {
	next = slices.DeleteFunc(slices.Clone(all), func(s Surroundings) bool { return s.SeenAt.Before(after) })
	return next, len(next) < len(all)
}
