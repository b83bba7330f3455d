package agent

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/lethe-relay/lethe/auth/ecv"
	"github.com/lethe-relay/lethe/internal/conf"
)

// ECV is the part of agent.yaml that says what the router demands of the
// environment of its devices. Without allow it demands nothing.
type ECV struct {
	Allow       int           `yaml:"allow"`         // the score from which a device is let in
	StepUp      int           `yaml:"step_up"`       // the score from which it may be confirmed
	Weights     Weights       `yaml:"weights"`       // what each feature adds to the score
	Mandatory   []string      `yaml:"mandatory"`     // features that must match
	MaxAge      conf.Duration `yaml:"max_age"`       // of what a device has seen
	MaxSpeedKmh int           `yaml:"max_speed_kmh"` // between two places; more is impossible travel
	Services    []Demand      `yaml:"services"`      // services that demand less, or more
}

// Weights are points, 0 to 100 each.
type Weights struct {
	Account int `yaml:"account"`
	WiFi    int `yaml:"wifi"`
	Geo     int `yaml:"geo"`
	Net     int `yaml:"net"`
	ASN     int `yaml:"asn"`
	Country int `yaml:"country"`
}

// Demand is what one service demands in place of allow and mandatory.
type Demand struct {
	Name      string   `yaml:"name"`
	Allow     int      `yaml:"allow"`
	Mandatory []string `yaml:"mandatory"`
}

// Retention says how long the router keeps what it has learned of devices.
type Retention struct {
	Log          conf.Duration `yaml:"log"`          // decisions
	Environments conf.Duration `yaml:"environments"` // surroundings in which a device was not seen again
}

func defaultECV() ECV {
	return ECV{
		StepUp:      20,
		Weights:     Weights{Account: 30, WiFi: 40, Geo: 30, Net: 15, ASN: 5, Country: 5},
		MaxAge:      conf.Duration(15 * time.Minute),
		MaxSpeedKmh: 1000,
	}
}

func defaultRetention() Retention {
	return Retention{Log: conf.Duration(30 * 24 * time.Hour), Environments: conf.Duration(90 * 24 * time.Hour)}
}

// Validate is called by package conf.
func (e *ECV) Validate() error {
	if e.Allow == 0 {
		return conf.KeyErrorf("allow", "is missing; say from which score a device is let in, such as 75, or remove ecv to demand nothing")
	}
	if e.MaxSpeedKmh < 1 || e.MaxSpeedKmh > 1_000_000 {
		return conf.KeyErrorf("max_speed_kmh", "must be between 1 and 1000000; 1000 is an airliner")
	}
	_, err := e.policy()
	return err
}

// Validate is called by package conf.
func (r *Retention) Validate() error {
	for key, d := range map[string]conf.Duration{"log": r.Log, "environments": r.Environments} {
		if d < conf.Duration(time.Hour) {
			return conf.KeyErrorf(key, "must be an hour or more")
		}
	}
	return nil
}

func (w Weights) list() []int { return []int{w.Account, w.WiFi, w.Geo, w.Net, w.ASN, w.Country} }

// policy is what grants carry; nil if nothing is demanded. Each error is at its
// key: what one demand has wrong is found by judging it alone.
func (e *ECV) policy() (*ecv.Policy, error) {
	if e.Allow == 0 {
		return nil, nil
	}
	p := &ecv.Policy{MaxAge: time.Duration(e.MaxAge)}
	for i, n := range e.Weights.list() {
		if f := ecv.Feature(i); n < 0 || n > ecv.MaxWeight {
			return nil, conf.KeyErrorf("weights."+f.String(), "must be between 0 and %d", ecv.MaxWeight)
		}
		p.Weights[i] = uint8(n)
	}
	var err error
	if p.Allow, err = scoreOf("allow", e.Allow); err != nil {
		return nil, err
	}
	if p.StepUp, err = scoreOf("step_up", e.StepUp); err != nil {
		return nil, err
	}
	if p.Mandatory, err = featuresOf("mandatory", e.Mandatory); err != nil {
		return nil, err
	}
	if err := p.Validate(); err != nil {
		return nil, atKey("", err)
	}
	for i, d := range e.Services {
		if err := d.addTo(p, fmt.Sprintf("services[%d].", i)); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(p.Services, func(a, b ecv.Demand) int { return strings.Compare(a.Service, b.Service) })
	if err := p.Validate(); err != nil {
		return nil, atKey("", err)
	}
	return p, nil
}

// addTo adds the demand to a policy that is valid without it. at is where it stands.
func (d Demand) addTo(p *ecv.Policy, at string) (err error) {
	demand := ecv.Demand{Service: d.Name}
	if slices.ContainsFunc(p.Services, func(o ecv.Demand) bool { return o.Service == d.Name }) {
		return conf.KeyErrorf(at+"name", "is used twice")
	}
	if demand.Allow, err = scoreOf(at+"allow", d.Allow); err != nil {
		return err
	}
	if demand.Mandatory, err = featuresOf(at+"mandatory", d.Mandatory); err != nil {
		return err
	}
	alone := *p
	alone.Services = []ecv.Demand{demand}
	if err := alone.Validate(); err != nil {
		return atKey(at, err)
	}
	p.Services = append(p.Services, demand)
	return nil
}

// atKey puts an error of a policy at the key that it is about. Its text begins
// with the field, see [ecv.Policy.Validate], which is called as the key is.
func atKey(at string, err error) error {
	text := strings.TrimPrefix(err.Error(), ecv.ErrPolicy.Error()+": ")
	for _, key := range []string{"allow", "step_up", "mandatory", "max_age"} {
		if field, why, _ := strings.Cut(text, ": "); field == key {
			return conf.KeyErrorf(at+key, "%s", why)
		} else if what, ok := strings.CutPrefix(why, key+": "); ok && at != "" {
			return conf.KeyErrorf(at+key, "%s", what)
		}
	}
	if at == "" {
		return conf.KeyErrorf("services", "%s", text)
	}
	return conf.KeyErrorf(at+"name", "%s", strings.TrimPrefix(text, "service: "))
}

func scoreOf(key string, n int) (uint16, error) {
	if n < 0 || n > ecv.Features*ecv.MaxWeight {
		return 0, conf.KeyErrorf(key, "must be between 0 and %d", ecv.Features*ecv.MaxWeight)
	}
	return uint16(n), nil
}

func featuresOf(key string, names []string) (s ecv.Set, err error) {
	for i, name := range names {
		f, known := ecv.ParseFeature(name)
		if !known {
			return 0, conf.KeyErrorf(fmt.Sprintf("%s[%d]", key, i), "%q is no feature: take of %s", name, strings.Join(featureNames(), ", "))
		}
		s |= ecv.SetOf(f)
	}
	return s, nil
}

func featureNames() []string {
	var names []string
	for f := range ecv.Feature(ecv.Features) {
		names = append(names, f.String())
	}
	return names
}
