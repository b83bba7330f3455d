package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/lethe-relay/lethe/auth/ecv"
	"github.com/lethe-relay/lethe/internal/conf"
)

// policyInfo is a grant's policy in --json. Weights stand with the features.
type policyInfo struct {
	Total     uint16       `json:"total"` // what all features weigh
	Allow     uint16       `json:"allow"`
	StepUp    uint16       `json:"step_up"`
	Mandatory []string     `json:"mandatory"`
	MaxAge    float64      `json:"max_age_seconds"`
	Services  []demandInfo `json:"services"`
}

type demandInfo struct {
	Service   string   `json:"service"`
	Allow     uint16   `json:"allow"`
	Mandatory []string `json:"mandatory"`
}

// policyJSON returns nil for a grant without a policy.
func policyJSON(p *ecv.Policy) *policyInfo {
	if p == nil {
		return nil
	}
	info := &policyInfo{
		Total: total(p), Allow: p.Allow, StepUp: p.StepUp, Mandatory: names(p.Mandatory),
		MaxAge: p.MaxAge.Seconds(), Services: []demandInfo{},
	}
	for _, d := range p.Services {
		info.Services = append(info.Services, demandInfo{d.Service, d.Allow, names(d.Mandatory)})
	}
	return info
}

// policyText says a policy in words.
func policyText(p *ecv.Policy) string {
	if p == nil {
		return "The grant demands nothing of the surroundings at the relay; the router may all the same.\n"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "A score of %d of %d lets in, %d is enough to confirm. Wi-Fi and place count for %s.\n",
		p.Allow, total(p), p.StepUp, conf.Duration(p.MaxAge.Truncate(time.Second)))
	if p.Mandatory != 0 {
		fmt.Fprintf(&b, "Whatever the score, these must match: %s.\n", strings.Join(names(p.Mandatory), ", "))
	}
	if len(p.Services) > 0 {
		b.WriteString("Some services have demands of their own instead:\n")
	}
	for _, d := range p.Services {
		fmt.Fprintf(&b, "  %s\n", demandText(d))
	}
	return b.String()
}

func demandText(d ecv.Demand) string {
	text := fmt.Sprintf("%s needs %d", d.Service, d.Allow)
	if d.Mandatory != 0 {
		text += ", and these must match: " + strings.Join(names(d.Mandatory), ", ")
	}
	return text
}

func names(s ecv.Set) []string {
	all := []string{}
	for f := range s.All() {
		all = append(all, f.String())
	}
	return all
}

// total is what all features weigh.
func total(p *ecv.Policy) (sum uint16) {
	for _, w := range p.Weights {
		sum += uint16(w)
	}
	return sum
}
