package ecv

import "time"

// State is how a feature stands to what is accepted.
type State uint8

const (
	Missing    State = iota // nothing was shown
	Invalid                 // what was shown is malformed, or its proof is wrong
	Stale                   // it was seen too long ago, or in the future
	Unknown                 // it is not among what is accepted
	Impossible              // nobody could have got there since the last time; only of Geo, see [TooFar]
	Matched                 // it is accepted
)

// String returns the state's name in reasons and logs.
func (s State) String() string {
	switch s {
	case Missing:
		return "missing"
	case Invalid:
		return "invalid"
	case Stale:
		return "stale"
	case Unknown:
		return "unknown"
	case Impossible:
		return "impossible"
	case Matched:
		return "matched"
	}
	return "undefined"
}

// Findings holds the state of each feature; its index is the [Feature].
type Findings [Features]State

// CheckVouched says how a feature that the relay vouches for stands to what is
// accepted: Missing if id is zero, Invalid if the feature is one that the
// device must prove, else Unknown or Matched.
func CheckVouched(f Feature, id TagID, accepted Accepted) State {
	switch {
	case id == TagID{}:
		return Missing
	case f >= Features || f.Claimed():
		return Invalid
	}
	return accepted.state(f, id)
}

// CheckEvidence is the router's own look at WiFi and Geo, made from what the
// device says in clear inside the tunnel. The other findings are Missing. A
// place matches if its own cell of [GeoLevel] is accepted.
func CheckEvidence(e Evidence, secret [32]byte, accepted Accepted, maxAge time.Duration, now time.Time) (found Findings) {
	if n := e.WiFi; n != nil {
		found[WiFi] = Stale
		if fresh(n.Seen, maxAge, now) {
			found[WiFi] = checkClear(WiFi, WiFiTagID(secret, *n), accepted)
		}
	}
	if p := e.Place; p != nil {
		found[Geo] = Stale
		if fresh(p.Seen, maxAge, now) {
			found[Geo] = checkClear(Geo, ownTagID(secret, *p), accepted)
		}
	}
	return found
}

// checkClear is given a zero TagID for evidence that is not Valid.
func checkClear(f Feature, id TagID, accepted Accepted) State {
	if id == (TagID{}) {
		return Invalid
	}
	return accepted.state(f, id)
}
