package ecv

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// testPolicy is the specification's example.
func testPolicy() Policy {
	return Policy{
		Weights: [Features]uint8{Account: 20, WiFi: 40, Geo: 20, Net: 20},
		Allow:   60, StepUp: 20, MaxAge: time.Hour,
		Services: []Demand{{Service: "ssh", Allow: 80, Mandatory: SetOf(WiFi)}},
	}
}

func TestValidate(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Policy)
		field  string // empty: it is valid
	}{
		"as it is":                      {func(*Policy) {}, ""},
		"no services":                   {func(p *Policy) { p.Services = nil }, ""},
		"everything must match":         {func(p *Policy) { p.Allow = 100 }, ""},
		"just more than the relay sees": {func(p *Policy) { p.Allow, p.StepUp = 21, 21 }, ""},
		"step up for all":               {func(p *Policy) { p.StepUp = 0 }, ""},
		"the longest age":               {func(p *Policy) { p.MaxAge = 30 * 24 * time.Hour }, ""},
		"a service that is easier":      {func(p *Policy) { p.Services[0].Allow = 21 }, ""},

		"a weight too high":             {func(p *Policy) { p.Weights[Geo] = 101 }, "weights"},
		"no weights":                    {func(p *Policy) { p.Weights = [Features]uint8{} }, "allow"},
		"allow 0":                       {func(p *Policy) { p.Allow = 0 }, "allow"},
		"allow 0 without the relay":     {func(p *Policy) { p.Weights[Net], p.Allow, p.StepUp = 0, 0, 0 }, "allow"},
		"allow that the relay reaches":  {func(p *Policy) { p.Allow = 20 }, "allow"},
		"or with the system":            {func(p *Policy) { p.Weights[ASN] = 40 }, "allow"},
		"or with the country":           {func(p *Policy) { p.Weights[Country] = 40 }, "allow"},
		"allow out of reach":            {func(p *Policy) { p.Allow = 101 }, "allow"},
		"step_up over allow":            {func(p *Policy) { p.StepUp = 61 }, "step_up"},
		"mandatory without a weight":    {func(p *Policy) { p.Mandatory = SetOf(Country) }, "mandatory"},
		"an unknown mandatory feature":  {func(p *Policy) { p.Mandatory = 1 << 6 }, "mandatory"},
		"no age":                        {func(p *Policy) { p.MaxAge = 0 }, "max_age"},
		"a negative age":                {func(p *Policy) { p.MaxAge = -time.Hour }, "max_age"},
		"part of a second":              {func(p *Policy) { p.MaxAge += time.Millisecond }, "max_age"},
		"more than 30 days":             {func(p *Policy) { p.MaxAge = 30*24*time.Hour + time.Second }, "max_age"},
		"a service without a name":      {func(p *Policy) { p.Services[0].Service = "" }, "service"},
		"a capital letter":              {func(p *Policy) { p.Services[0].Service = "SSH" }, "service"},
		"a name with a separator":       {func(p *Policy) { p.Services[0].Service = "a:b" }, "service"},
		"all services":                  {func(p *Policy) { p.Services[0].Service = "*" }, "service"},
		"a service twice":               {func(p *Policy) { p.Services = append(p.Services, p.Services[0]) }, "service"},
		"another order":                 {func(p *Policy) { p.Services = append(p.Services, Demand{Service: "http", Allow: 60}) }, "service"},
		"the relay reaches a service":   {func(p *Policy) { p.Services[0].Allow = 20 }, "service ssh: allow"},
		"a service out of reach":        {func(p *Policy) { p.Services[0].Allow = 101 }, "service ssh: allow"},
		"a service's mandatory feature": {func(p *Policy) { p.Services[0].Mandatory = SetOf(ASN) }, "service ssh: mandatory"},
		"17 services":                   {func(p *Policy) { p.Services = demands(17, "s", 0) }, "service"},
		"16 services":                   {func(p *Policy) { p.Services = demands(16, "s", 0) }, ""},
		"more than 1024 bytes": {func(p *Policy) {
			p.Services = demands(16, strings.Repeat("s", 30), SetOf(Account, WiFi, Geo, Net))
		}, "service"},
	} {
		p := testPolicy()
		c.change(&p)
		err := p.Validate()
		switch {
		case c.field == "" && err != nil:
			t.Errorf("%s: %v", name, err)
		case c.field != "" && (!errors.Is(err, ErrPolicy) || !strings.HasPrefix(err.Error(), ErrPolicy.Error()+": "+c.field+": ")):
			t.Errorf("%s: %v, want a fault of %s", name, err, c.field)
		}
		if back, err := ParsePolicy(p.String()); c.field == "" && (err != nil || !equalPolicies(back, p)) {
			t.Errorf("%s: %q is read as %+v, %v", name, p.String(), back, err)
		}
	}
}

func demands(n int, prefix string, mandatory Set) (all []Demand) {
	for i := range n {
		all = append(all, Demand{fmt.Sprintf("%s%02d", prefix, i), 60, mandatory})
	}
	return all
}

func TestParsePolicyTooLong(t *testing.T) {
	p := testPolicy()
	text := p.String() + strings.Repeat(" ", MaxPolicySize)
	if _, err := ParsePolicy(text); !errors.Is(err, ErrPolicy) || !strings.Contains(err.Error(), "1024 bytes") {
		t.Errorf("%v", err)
	}
}

// policies draws valid policies of every kind.
func policies() *rapid.Generator[Policy] {
	return rapid.Custom(func(t *rapid.T) (p Policy) {
		for f := range p.Weights {
			p.Weights[f] = uint8(rapid.OneOf(rapid.Just(0), rapid.IntRange(0, 100)).Draw(t, Feature(f).String()))
		}
		p.Weights[Account] = max(p.Weights[Account], 1)
		demand := func() (d Demand) {
			observed := p.weight(SetOf(Net, ASN, Country))
			d.Allow = rapid.Uint16Range(observed+1, p.weight(everything)).Draw(t, "allow")
			d.Mandatory = Set(rapid.Uint8().Draw(t, "mandatory")) & p.weighted()
			return d
		}
		base := demand()
		p.Allow, p.Mandatory = base.Allow, base.Mandatory
		p.StepUp = rapid.Uint16Range(0, p.Allow).Draw(t, "step_up")
		p.MaxAge = time.Duration(rapid.IntRange(1, 30*24*60*60).Draw(t, "max_age")) * time.Second
		names := rapid.SliceOfNDistinct(rapid.StringMatching("[a-z0-9][a-z0-9-]{0,5}"), 0, 4, rapid.ID).Draw(t, "services")
		slices.Sort(names)
		for _, name := range names {
			d := demand()
			d.Service = name
			p.Services = append(p.Services, d)
		}
		return p
	})
}

func (p *Policy) weighted() (s Set) {
	for f, weight := range p.Weights {
		if weight > 0 {
			s |= SetOf(Feature(f))
		}
	}
	return s
}

func TestPropertyPolicyText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := policies().Draw(t, "policy")
		if err := p.Validate(); err != nil {
			t.Fatal(err)
		}
		back, err := ParsePolicy(p.String())
		if err != nil || !equalPolicies(back, p) {
			t.Fatalf("%q is read as %+v, %v", p.String(), back, err)
		}
	})
}
