package ecv

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestJudge(t *testing.T) {
	p := testPolicy()
	p.Mandatory = SetOf(Account)
	p.Services = []Demand{{Service: "ssh", Allow: 80, Mandatory: SetOf(WiFi)}, {Service: "status", Allow: 21}}
	for name, c := range map[string]struct {
		f       Findings
		service string
		verdict Verdict
		score   uint16
		reasons string
	}{
		"nothing": {Findings{}, "", Deny, 0,
			"account_missing,wifi_missing,geo_missing,net_missing,mandatory_missing,score_low"},
		"all": {Findings{Matched, Matched, Matched, Matched, Matched, Matched}, "", Allow, 100,
			"account_matched,wifi_matched,geo_matched,net_matched"},
		"just enough": {Findings{Account: Matched, WiFi: Matched, Geo: Stale, Net: Unknown}, "", Allow, 60,
			"account_matched,wifi_matched,geo_stale,net_unknown"},
		"not for ssh": {Findings{Account: Matched, WiFi: Matched, Geo: Stale, Net: Unknown}, "ssh", StepUp, 60,
			"account_matched,wifi_matched,geo_stale,net_unknown,score_low"},
		"just enough for ssh": {Findings{WiFi: Matched, Geo: Matched, Net: Matched}, "ssh", Allow, 80,
			"account_missing,wifi_matched,geo_matched,net_matched"},
		"the mandatory feature is missing": {Findings{WiFi: Matched, Geo: Matched, Net: Matched}, "", StepUp, 80,
			"account_missing,wifi_matched,geo_matched,net_matched,mandatory_missing"},
		"just enough to step up": {Findings{Net: Matched}, "", StepUp, 20,
			"account_missing,wifi_missing,geo_missing,net_matched,mandatory_missing,score_low"},
		"easy": {Findings{WiFi: Matched}, "status", Allow, 40,
			"account_missing,wifi_matched,geo_missing,net_missing"},
		"not even easy": {Findings{Net: Matched}, "status", StepUp, 20,
			"account_missing,wifi_missing,geo_missing,net_matched,score_low"},
		"a service without a demand": {Findings{WiFi: Matched}, "http", StepUp, 40,
			"account_missing,wifi_matched,geo_missing,net_missing,mandatory_missing,score_low"},
		"impossible travel": {Findings{Matched, Matched, Impossible, Matched, Matched, Matched}, "", StepUp, 80,
			"account_matched,wifi_matched,impossible_travel,net_matched"},
		"impossible, and nothing else": {Findings{Geo: Impossible}, "status", Deny, 0,
			"account_missing,wifi_missing,impossible_travel,net_missing,score_low"},
		"no weight, no word": {Findings{ASN: Matched, Country: Matched, WiFi: Invalid}, "", Deny, 0,
			"account_missing,wifi_invalid,geo_missing,net_missing,mandatory_missing,score_low"},
	} {
		got := p.JudgeService(c.f, c.service)
		if got.Verdict != c.verdict || got.Score != c.score || FormatReasons(got.Reasons) != c.reasons {
			t.Errorf("%s: %s with %d, %s\nwant %s with %d, %s", name,
				got.Verdict, got.Score, FormatReasons(got.Reasons), c.verdict, c.score, c.reasons)
		}
		if c.service == "" && !reflect.DeepEqual(got, p.Judge(c.f)) {
			t.Errorf("%s: Judge differs from JudgeService without a service", name)
		}
	}
}

// A place that is impossible is never let in, even where place has no weight.
func TestJudgeImpossibleWithoutWeight(t *testing.T) {
	p := testPolicy()
	p.Weights[Geo] = 0
	got := p.Judge(Findings{Account: Matched, WiFi: Matched, Net: Matched, Geo: Impossible})
	if got.Verdict != StepUp || !slices.Contains(got.Reasons, ImpossibleTravel) {
		t.Errorf("%+v", got)
	}
}

func TestJudgeSession(t *testing.T) {
	p := testPolicy()
	p.Services = []Demand{{Service: "ssh", Allow: 80}, {Service: "status", Allow: 21}}
	wifi, net := Findings{WiFi: Matched}, Findings{Net: Matched}
	for name, c := range map[string]struct {
		f        Findings
		services []string
		want     Verdict
	}{
		"the easiest":       {wifi, []string{"ssh", "status"}, Allow},
		"in any order":      {wifi, []string{"status", "ssh"}, Allow},
		"only the strict":   {wifi, []string{"ssh"}, StepUp},
		"only the base":     {wifi, []string{"http"}, StepUp},
		"all":               {wifi, []string{"*"}, Allow},
		"all, too little":   {net, []string{"*"}, StepUp},
		"all, nothing":      {Findings{}, []string{"*"}, Deny},
		"no service at all": {Findings{Matched, Matched, Matched, Matched, Matched, Matched}, nil, Deny},
	} {
		if got := p.JudgeSession(c.f, c.services); got.Verdict != c.want {
			t.Errorf("%s: %s, want %s", name, got.Verdict, c.want)
		}
	}
	// "*" grants services without a demand too: here the base is the easiest.
	p.Allow = 30
	p.Services = []Demand{{Service: "ssh", Allow: 80}}
	if got := p.JudgeSession(wifi, []string{"*"}); got.Verdict != Allow {
		t.Errorf("all, the base being easier: %s", got.Verdict)
	}
}

func TestVerdictNames(t *testing.T) {
	if names := []string{Deny.String(), StepUp.String(), Allow.String(), Verdict(3).String()}; strings.Join(names, " ") != "deny step_up allow undefined" {
		t.Errorf("%q", names)
	}
	if Deny >= StepUp || StepUp >= Allow {
		t.Error("a better verdict is not higher")
	}
}

// All reasons of a verdict are what a wire message takes, and survive it.
func TestReasonsAreCodes(t *testing.T) {
	var all []Reason
	for f := range everything.All() {
		for s := Missing; s <= Matched; s++ {
			all = append(all, Reason(f.String()+"_"+s.String()))
		}
	}
	all = append(all, MandatoryMissing, ScoreLow, ImpossibleTravel, NothingLearned)
	if got := ParseReasons(FormatReasons(all)); !slices.Equal(got, all) {
		t.Errorf("%v become %v", all, got)
	}
}

func TestParseReasons(t *testing.T) {
	for text, want := range map[string]string{
		"":                                 "",
		",,":                               "",
		"score_low":                        "score_low",
		"net_unknown,score_low":            "net_unknown,score_low",
		"Score_low,ok,geo missing,\x1b[1m": "ok",
		"a1,a-b,ä,_,zz\n":                  "_",
		strings.Repeat("a", 32):            strings.Repeat("a", 32),
		strings.Repeat("a", 33):            "",
	} {
		if got := FormatReasons(ParseReasons(text)); got != want {
			t.Errorf("%q is read as %q, want %q", text, got, want)
		}
	}
}

func findings() *rapid.Generator[Findings] {
	return rapid.Custom(func(t *rapid.T) (f Findings) {
		for feature := range f {
			f[feature] = State(rapid.IntRange(int(Missing), int(Matched)).Draw(t, Feature(feature).String()))
		}
		return f
	})
}

// services draws what a grant may list: names with and without a demand, or "*".
func services(p Policy) *rapid.Generator[[]string] {
	names := []string{"none-such"}
	for _, d := range p.Services {
		names = append(names, d.Service)
	}
	return rapid.OneOf(rapid.Just([]string{"*"}), rapid.SliceOfN(rapid.SampledFrom(names), 0, 4))
}

func TestPropertyMoreMatchesAreNeverWorse(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, f := policies().Draw(t, "policy"), findings().Draw(t, "findings")
		granted := services(p).Draw(t, "services")
		better := f
		better[rapid.IntRange(0, Features-1).Draw(t, "feature")] = Matched
		type judge func(Findings) Judgement
		judges := map[string]judge{"base": p.Judge, "session": func(f Findings) Judgement { return p.JudgeSession(f, granted) }}
		for _, d := range p.Services {
			judges[d.Service] = func(f Findings) Judgement { return p.JudgeService(f, d.Service) }
		}
		for name, judge := range judges {
			if was, is := judge(f), judge(better); is.Verdict < was.Verdict || is.Score < was.Score {
				t.Fatalf("%s: %+v becomes %+v", name, was, is)
			}
		}
	})
}

func TestPropertyNothingWithoutMandatory(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, f := policies().Draw(t, "policy"), findings().Draw(t, "findings")
		demands := append([]Demand{{Mandatory: p.Mandatory}}, p.Services...)
		for _, d := range demands {
			for feature := range d.Mandatory.All() {
				if j := p.JudgeService(f, d.Service); j.Verdict == Allow && f[feature] != Matched {
					t.Fatalf("%q is allowed with %s %s", d.Service, feature, f[feature])
				}
			}
		}
	})
}

// What the relay alone vouches for is never enough, whatever it says.
func TestPropertyRelayAloneIsNotEnough(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := policies().Draw(t, "policy")
		f := Findings{Net: Matched, ASN: Matched, Country: Matched}
		if j := p.JudgeSession(f, []string{"*"}); j.Verdict == Allow {
			t.Fatalf("%+v", j)
		}
	})
}

// A session gets the best that one of its services gets: no more, no less.
func TestPropertySessionIsItsBestService(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, f := policies().Draw(t, "policy"), findings().Draw(t, "findings")
		granted := services(p).Draw(t, "services")
		each := granted
		if slices.Contains(granted, "*") {
			each = []string{"none-such"}
			for _, d := range p.Services {
				each = append(each, d.Service)
			}
		}
		best := Deny
		for _, service := range each {
			best = max(best, p.JudgeService(f, service).Verdict)
		}
		if j := p.JudgeSession(f, granted); j.Verdict != best {
			t.Fatalf("%v: %s, and its best service gets %s", granted, j.Verdict, best)
		}
	})
}

func TestPropertyJudgeIsAFunction(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, f := policies().Draw(t, "policy"), findings().Draw(t, "findings")
		granted := services(p).Draw(t, "services")
		twin, twinFindings, twinGranted := p, f, slices.Clone(granted)
		twin.Services = slices.Clone(p.Services)

		first := p.JudgeSession(f, granted)
		first.Reasons = append(first.Reasons, "scribbled") // what was returned is the caller's
		again := p.JudgeSession(f, granted)
		if other := twin.JudgeSession(twinFindings, twinGranted); !reflect.DeepEqual(other, again) || first.Score != again.Score || first.Verdict != again.Verdict {
			t.Fatalf("%+v, then %+v, and from copies %+v", first, again, other)
		}
		if !equalPolicies(p, twin) || f != twinFindings || !slices.Equal(granted, twinGranted) {
			t.Fatal("the inputs have been changed")
		}
	})
}

// The score looks at nothing but what matches, and never at why the rest does not.
func TestPropertyScore(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, f := policies().Draw(t, "policy"), findings().Draw(t, "findings")
		other := findings().Draw(t, "other")
		want := uint16(0)
		for feature, state := range f {
			if state == Matched {
				want += uint16(p.Weights[feature])
				other[feature] = Matched
			} else if other[feature] == Matched || other[feature] == Impossible || state == Impossible {
				other[feature] = state
			}
		}
		a, b := p.Judge(f), p.Judge(other)
		if a.Score != want || b.Score != want || a.Verdict != b.Verdict {
			t.Fatalf("%+v and %+v, want a score of %d", a, b, want)
		}
	})
}
