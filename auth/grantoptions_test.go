package auth

import (
	"crypto/rand"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/lethe-relay/lethe/auth/ecv"
)

// drawEnvironment draws a policy that makes sense and what it accepts.
func drawEnvironment(t *rapid.T) (*ecv.Policy, ecv.Accepted) {
	p := &ecv.Policy{MaxAge: time.Duration(rapid.IntRange(1, 30*24*3600).Draw(t, "max age")) * time.Second}
	var all, observed uint16
	for f := range ecv.Feature(ecv.Features) {
		p.Weights[f] = uint8(rapid.IntRange(1, ecv.MaxWeight).Draw(t, f.String()))
		if all += uint16(p.Weights[f]); f >= ecv.Net {
			observed += uint16(p.Weights[f])
		}
	}
	allow := rapid.Uint16Range(observed+1, all)
	set := rapid.Map(rapid.SliceOf(rapid.SampledFrom([]ecv.Feature{ecv.Account, ecv.WiFi, ecv.Geo, ecv.Net})),
		func(fs []ecv.Feature) ecv.Set { return ecv.SetOf(fs...) })
	p.Allow, p.Mandatory = allow.Draw(t, "allow"), set.Draw(t, "mandatory")
	p.StepUp = rapid.Uint16Range(0, p.Allow).Draw(t, "step up")
	for i := range rapid.IntRange(0, 5).Draw(t, "demands") {
		p.Services = append(p.Services, ecv.Demand{
			Service: "s" + string(rune('a'+i)), Allow: allow.Draw(t, "service's allow"), Mandatory: set.Draw(t, "service's mandatory"),
		})
	}
	return p, acceptedOf(rapid.IntRange(0, ecv.MaxAccepted).Draw(t, "accepted"))
}

func TestIssueRefusesAPolicyThatVerifyWould(t *testing.T) {
	many := make([]ecv.Entry, ecv.MaxAccepted+1)
	for i := range many {
		many[i].ID[0], many[i].ID[1] = 1, byte(i)
	}
	for _, c := range []struct {
		name   string
		change func(*Grant)
		says   string // so that the person knows what to mend
	}{
		{"an empty policy", func(g *Grant) { *g.Policy = ecv.Policy{} }, "allow"},
		{"more than all features give", func(g *Grant) { g.Policy.Allow = 1000 }, "allow"},
		{"a relay's word is enough", func(g *Grant) { g.Policy.Weights[ecv.Net] = 100 }, "allow"},
		{"step-up above allow", func(g *Grant) { g.Policy.StepUp = g.Policy.Allow + 1 }, "step_up"},
		{"half a second", func(g *Grant) { g.Policy.MaxAge += time.Second / 2 }, "max_age"},
		{"a mandatory feature that there is not", func(g *Grant) { g.Policy.Mandatory = 1 << 7 }, "mandatory"},
		{"a service that no grant lists", func(g *Grant) { g.Policy.Services = []ecv.Demand{{Service: "A", Allow: 60}} }, "service"},
		{"a service twice", func(g *Grant) { g.Policy.Services = append(g.Policy.Services, g.Policy.Services...) }, "service"},
		{"accepted without a policy", func(g *Grant) { g.Policy = nil }, "has no policy"},
		{"too many accepted", func(g *Grant) { g.Accepted = ecv.NewAccepted(many...) }, "at most 128"},
		{"an unknown feature accepted", func(g *Grant) { g.Accepted = ecv.NewAccepted(ecv.Entry{Feature: ecv.Features}) }, "feature"},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := environmentVector(t).grant()
			c.change(&g)
			raw, err := Issue(identityOf(t, 1), g, rand.Reader)
			if !errors.Is(err, ErrGrantPolicy) || !strings.Contains(err.Error(), c.says) || raw != nil {
				t.Errorf("%v does not say %q", err, c.says)
			}
		})
	}
}

// A policy may speak of services that the grant does not list: the list of
// services may be shorter than the policy that a router has for all.
func TestPolicyMaySpeakOfOtherServices(t *testing.T) {
	for _, services := range [][]string{{"http"}, {"ssh"}, {AllServices}} {
		g := environmentVector(t).grant() // its policy speaks of ssh
		g.Services = services
		if _, err := Issue(identityOf(t, 1), g, rand.Reader); err != nil {
			t.Errorf("%q: %v", services, err)
		}
	}
}

// A grant that is as full as a person can make it is not signed when no relay
// would take it.
func TestIssueRefusesWhatIsTooLarge(t *testing.T) {
	router := identityOf(t, 1)
	g := grantVectors(t)[0].grant()
	g.Policy, g.Accepted = fullPolicy(), acceptedOf(ecv.MaxAccepted)
	raw, err := Issue(router, g, rand.Reader)
	if err != nil || len(raw) > MaxGrantSize {
		t.Fatalf("all environments and all demands, and %d bytes: %v", len(raw), err)
	}
	got, err := Verify(raw, router.RouterID(), g.Device, g.NotBefore)
	if err != nil || !reflect.DeepEqual(got, g) {
		t.Errorf("%+v, %v", got, err)
	}
	g.Services = nil
	for i := range MaxServices {
		g.Services = append(g.Services, strings.Repeat("x", 30)+string(rune('a'+i/8))+string(rune('a'+i%8)))
	}
	if raw, err := Issue(router, g, rand.Reader); !errors.Is(err, ErrGrantTooLarge) || raw != nil {
		t.Errorf("%d bytes, %v", len(raw), err)
	}
	g.Accepted = ecv.Accepted{}
	if _, err := Issue(router, g, rand.Reader); err != nil {
		t.Errorf("it does not help to forget environments: %v", err)
	}
}
