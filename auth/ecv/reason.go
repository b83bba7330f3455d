package ecv

import "strings"

// Reason is a stable code of [a-z_] that says what a verdict rests on, never
// with a value. See the package's list.
type Reason string

const (
	// MandatoryMissing means that a mandatory feature does not match.
	MandatoryMissing Reason = "mandatory_missing"
	// ScoreLow means that the score is less than what is demanded.
	ScoreLow Reason = "score_low"
	// ImpossibleTravel is what [Impossible] is called among the reasons.
	ImpossibleTravel Reason = "impossible_travel"
	// NothingLearned means that the grant accepts no environment yet. A verdict
	// knows only findings, so whoever reads the grant adds it.
	NothingLearned Reason = "nothing_learned"
	// EvidenceDue asks the device for fresh evidence, because the relay has seen
	// that it has another network. It lowers no verdict. A router adds it.
	EvidenceDue Reason = "evidence_due"
	// RelayLimited means that the relay carries the session within the limits of
	// a step-up, so that more could not be let in. A router adds it.
	RelayLimited Reason = "relay_limited"

	maxReason = 32 // bytes
)

// states returns a reason for each feature that has a weight, and for a place
// that nobody could have got to.
func (p *Policy) states(f Findings) (reasons []Reason) {
	for feature := range everything.All() {
		switch {
		case feature == Geo && f[Geo] == Impossible:
			reasons = append(reasons, ImpossibleTravel)
		case p.Weights[feature] > 0:
			reasons = append(reasons, Reason(feature.String()+"_"+f[feature].String()))
		}
	}
	return reasons
}

// FormatReasons joins reasons with commas, for a message.
func FormatReasons(reasons []Reason) string {
	words := make([]string, len(reasons))
	for i, r := range reasons {
		words[i] = string(r)
	}
	return strings.Join(words, ",")
}

// ParseReasons reads the reasons of a peer's message. It drops what can't be
// one, and so never returns what is unsafe to print.
func ParseReasons(s string) (reasons []Reason) {
	for word := range strings.SplitSeq(s, ",") {
		if validReason(word) {
			reasons = append(reasons, Reason(word))
		}
	}
	return reasons
}

func validReason(s string) bool {
	return s != "" && len(s) <= maxReason && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz_") == ""
}
