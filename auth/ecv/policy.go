package ecv

import (
	"fmt"
	"time"

	"github.com/lethe-relay/lethe/internal/wire"
)

const (
	// MaxWeight is the most that one feature can weigh.
	MaxWeight = 100
	// MaxDemands is how many services can have demands of their own.
	MaxDemands = 16
	// MaxPolicySize is the most bytes of a policy's text.
	MaxPolicySize = 1024

	minEvidenceAge = time.Second
	maxEvidenceAge = 30 * 24 * time.Hour
)

// Policy is what a router demands of the environment of one device.
type Policy struct {
	Weights   [Features]uint8 // 0 to 100: what a matched feature adds to the score
	Allow     uint16          // the score from which a session is allowed
	StepUp    uint16          // the score from which it may be confirmed; at most Allow
	Mandatory Set             // what must be matched, whatever the score
	MaxAge    time.Duration   // whole seconds; older claimed evidence does not count
	Services  []Demand        // other demands of single services, by name; at most 16
}

// Demand is what one service demands in place of the policy's Allow and
// Mandatory, be it easier or stricter.
type Demand struct {
	Service   string
	Allow     uint16
	Mandatory Set
}

// Validate returns nil if the policy can be put into a grant. Its errors wrap
// [ErrPolicy], and name the field as the policy's text does.
func (p *Policy) Validate() error {
	for f, weight := range p.Weights {
		if weight > MaxWeight {
			return fault("weights", "%s must be from 0 to %d", Feature(f), MaxWeight)
		}
	}
	if err := p.checkDemand(Demand{Allow: p.Allow, Mandatory: p.Mandatory}, ""); err != nil {
		return err
	}
	if p.StepUp > p.Allow {
		return fault("step_up", "it must be at most allow, which is %d", p.Allow)
	}
	if p.MaxAge < minEvidenceAge || p.MaxAge > maxEvidenceAge || p.MaxAge%time.Second != 0 {
		return fault("max_age", "it must be whole seconds, from 1 s to 30 days")
	}
	return p.checkServices()
}

func (p *Policy) checkServices() error {
	if len(p.Services) > MaxDemands {
		return fault("service", "at most %d services can have demands of their own", MaxDemands)
	}
	for i, d := range p.Services {
		if !wire.ValidServiceName(d.Service) || d.Service[0] == '-' {
			return fault("service", "a name has 1 to 32 small letters, digits and '-', and does not begin with '-'")
		}
		if i > 0 && p.Services[i-1].Service >= d.Service {
			return fault("service", "name each once, in alphabetical order; %s is out of place", d.Service)
		}
		if err := p.checkDemand(d, "service "+d.Service+": "); err != nil {
			return err
		}
	}
	if n := len(p.String()); n > MaxPolicySize {
		return fault("service", "the policy's text has %d bytes, and at most %d fit: give fewer services demands of their own", n, MaxPolicySize)
	}
	return nil
}

// checkDemand holds what goes for the policy and for each service. What only
// the relay sees must not be enough, because a relay can lie about it.
func (p *Policy) checkDemand(d Demand, where string) error {
	observed := p.weight(SetOf(Net, ASN, Country))
	all := p.weight(everything)
	if d.Allow <= observed || d.Allow > all {
		return fault(where+"allow", "it must be more than %d, the weight of net, asn and country together, "+
			"which the relay alone vouches for, and at most %d, the weight of all features", observed, all)
	}
	if d.Mandatory&^everything != 0 {
		return fault(where+"mandatory", "it must hold known features only")
	}
	for f := range d.Mandatory.All() {
		if p.Weights[f] == 0 {
			return fault(where+"mandatory", "%s has no weight, so no device shows it: give it a weight", f)
		}
	}
	return nil
}

// weight returns what the features of s add up to.
func (p *Policy) weight(s Set) (sum uint16) {
	for f := range s.All() {
		sum += uint16(p.Weights[f])
	}
	return sum
}

func fault(field, format string, args ...any) error {
	return fmt.Errorf("%w: %s: %s", ErrPolicy, field, fmt.Sprintf(format, args...))
}
