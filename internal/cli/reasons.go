package cli

import (
	"errors"
	"strings"

	"github.com/lethe-relay/lethe/auth/ecv"
	"github.com/lethe-relay/lethe/tunnel"
)

// FeatureName is what a feature is called in a sentence.
func FeatureName(f ecv.Feature) string {
	switch f {
	case ecv.Account:
		return "the account"
	case ecv.WiFi:
		return "the Wi-Fi"
	case ecv.Geo:
		return "the place"
	case ecv.Net:
		return "the network"
	case ecv.ASN:
		return "the provider"
	case ecv.Country:
		return "the country"
	}
	return f.String()
}

// ReasonText says in plain words what a verdict rests on. A code of a later
// version is returned as it is.
func ReasonText(r ecv.Reason) string {
	switch r {
	case ecv.MandatoryMissing:
		return "something that must match does not"
	case ecv.ScoreLow:
		return "the score is too low"
	case ecv.ImpossibleTravel:
		return "nobody can have travelled here since the last time"
	case ecv.NothingLearned:
		return "the router has learned no surroundings of this device yet"
	case ecv.RelayLimited:
		return "the relay limits the session to a step-up: try again, and check the clocks of relay and device if that does not help"
	case ecv.EvidenceDue:
		return "the device has another network, so fresh evidence is wanted"
	}
	if f, state, ok := ReasonState(r); ok {
		return FeatureName(f) + " " + stateText(f, state)
	}
	return string(r)
}

func stateText(f ecv.Feature, s ecv.State) string {
	switch s {
	case ecv.Missing:
		if relayOnly(f) {
			return "is not told by the relay"
		}
		return "is not shown"
	case ecv.Invalid:
		return "is shown with a wrong proof"
	case ecv.Stale:
		return "was seen too long ago"
	case ecv.Unknown:
		return "is not one that the router knows"
	case ecv.Impossible:
		return "is one that nobody can have got to"
	}
	return "is known"
}

// relayOnly tells whether a device can do nothing to show the feature.
func relayOnly(f ecv.Feature) bool { return f == ecv.Net || f == ecv.ASN || f == ecv.Country }

// ReasonState takes a reason apart that tells the state of a feature; false for
// all others.
func ReasonState(r ecv.Reason) (ecv.Feature, ecv.State, bool) {
	if r == ecv.ImpossibleTravel {
		return ecv.Geo, ecv.Impossible, true
	}
	name, word, _ := strings.Cut(string(r), "_")
	f, known := ecv.ParseFeature(name)
	if !known {
		return 0, 0, false
	}
	for s := range ecv.Matched + 1 {
		if s.String() == word {
			return f, s, true
		}
	}
	return 0, 0, false
}

// ReasonTexts says in plain words, and in one line, which of these codes stand in
// the way. It is safe to print.
func ReasonTexts(codes []string) string {
	return strings.Join(against(ecv.ParseReasons(strings.Join(codes, ","))), "; ")
}

// against returns the texts of the reasons that lower a verdict, without those
// that come from what the relay does not look at.
func against(reasons []ecv.Reason) (texts []string) {
	for _, r := range reasons {
		f, state, ok := ReasonState(r)
		if ok && (state == ecv.Matched || state == ecv.Missing && relayOnly(f)) {
			continue
		}
		texts = append(texts, ReasonText(r))
	}
	return texts
}

// sentence is an error as people read it: behind a refusal stands what it rests on.
func sentence(err error) string {
	var refused *tunnel.RefusedError
	if !errors.As(err, &refused) {
		return err.Error()
	}
	why := against(refused.Reasons)
	if len(why) == 0 {
		return err.Error()
	}
	return err.Error() + " [" + strings.Join(why, "; ") + "]"
}
