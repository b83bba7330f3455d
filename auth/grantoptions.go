package auth

import (
	"errors"
	"fmt"
	"maps"
	"strings"

	"golang.org/x/crypto/ssh"

	"github.com/lethe-relay/lethe/auth/ecv"
)

// The critical options of a grant: its conditions. Whoever does not know one
// of them must refuse the grant.
const (
	optionAccepted = "ecv-accepted@lethe" // ecv.Accepted in its wire form; absent if empty
	optionPolicy   = "ecv-policy@lethe"   // ecv.Policy as text; absent if there is none
	optionServices = "services@lethe"     // the names, joined by commas
)

// criticalOptions writes the conditions of a canonical grant.
func (g Grant) criticalOptions() map[string]string {
	options := map[string]string{optionServices: strings.Join(g.Services, ",")}
	if g.Policy != nil {
		options[optionPolicy] = g.Policy.String()
	}
	if accepted := g.Accepted.Append(nil); len(accepted) > 0 {
		options[optionAccepted] = string(accepted)
	}
	return options
}

// readConditions sets what criticalOptions wrote. It accepts more than that:
// checkConditions has to follow.
func (g *Grant) readConditions(options map[string]string) error {
	g.Services = strings.Split(options[optionServices], ",")
	text, demanded := options[optionPolicy]
	if demanded {
		policy, err := ecv.ParsePolicy(text)
		if err != nil {
			return wrongPolicy(err)
		}
		g.Policy = &policy
	}
	accepted, err := ecv.ParseAccepted([]byte(options[optionAccepted]))
	if err != nil {
		return wrongPolicy(err)
	}
	if !demanded && !accepted.Equal(ecv.Accepted{}) {
		return wrongPolicy(errors.New("it accepts environments and has no policy, so nothing would check them"))
	}
	g.Accepted = accepted
	return nil
}

// checkConditions insists on the one way to write the conditions of a
// canonical grant.
func (g Grant) checkConditions(options map[string]string) error {
	if !maps.Equal(g.criticalOptions(), options) {
		return malformed("its services are not sorted, or repeated, or it has an empty option")
	}
	return nil
}

// knownOptions refuses conditions that this version can't check, and all
// extensions, which are options that may be ignored.
func knownOptions(p ssh.Permissions) error {
	for name := range p.CriticalOptions {
		if name != optionAccepted && name != optionPolicy && name != optionServices {
			return fmt.Errorf("%w (%.64q)", ErrGrantUnknownCritical, name)
		}
	}
	if len(p.Extensions) > 0 {
		return ErrGrantExtension
	}
	return nil
}

func wrongPolicy(why error) error { return fmt.Errorf("%w (%w)", ErrGrantPolicy, why) }
