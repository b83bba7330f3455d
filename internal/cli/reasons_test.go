package cli

import (
	"strings"
	"testing"

	"github.com/lethe-relay/lethe/auth/ecv"
)

// TestReasonText: every reason that a policy can give has words of its own.
func TestReasonText(t *testing.T) {
	seen := make(map[string]ecv.Reason)
	reasons := []ecv.Reason{ecv.MandatoryMissing, ecv.ScoreLow, ecv.NothingLearned, ecv.EvidenceDue, ecv.ImpossibleTravel}
	for f := range ecv.Feature(ecv.Features) {
		for s := range ecv.Matched + 1 {
			if s == ecv.Impossible {
				continue // it has a name of its own
			}
			r := ecv.Reason(f.String() + "_" + s.String())
			reasons = append(reasons, r)
			if gotF, gotS, ok := ReasonState(r); gotF != f || gotS != s || !ok {
				t.Errorf("%s is taken for %v %v", r, gotF, gotS)
			}
		}
	}
	for _, r := range reasons {
		text := ReasonText(r)
		if strings.Contains(text, "_") || text == "" {
			t.Errorf("%s has no words: %q", r, text)
		}
		if other, twice := seen[text]; twice {
			t.Errorf("%s and %s are both %q", r, other, text)
		}
		seen[text] = r
	}
	for _, r := range []ecv.Reason{"moon_unknown", "wifi_blue", "wifi", ""} {
		if _, _, ok := ReasonState(r); ok || ReasonText(r) != string(r) {
			t.Errorf("%q of a later version becomes %q", r, ReasonText(r))
		}
	}
}
