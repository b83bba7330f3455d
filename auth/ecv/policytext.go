package ecv

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// String returns the policy's text, as it stands in a grant; see the package's
// grammar. The text of a policy that is not valid may not be read again.
func (p Policy) String() string {
	fields := []string{
		"weights=" + p.weightsText(),
		"allow=" + number(p.Allow),
		"step_up=" + number(p.StepUp),
	}
	if p.Mandatory != 0 {
		fields = append(fields, "mandatory="+p.Mandatory.text())
	}
	fields = append(fields, "max_age="+strconv.FormatInt(int64(p.MaxAge/time.Second), 10))
	for _, d := range p.Services {
		field := "service=" + d.Service + ":" + number(d.Allow)
		if d.Mandatory != 0 {
			field += ":" + d.Mandatory.text()
		}
		fields = append(fields, field)
	}
	return strings.Join(fields, " ")
}

func (p *Policy) weightsText() string {
	var weights []string
	for f := range everything.All() {
		if w := p.Weights[f]; w > 0 {
			weights = append(weights, f.String()+":"+number(uint16(w)))
		}
	}
	return strings.Join(weights, ",")
}

func (s Set) text() string {
	var names []string
	for f := range s.All() {
		names = append(names, f.String())
	}
	return strings.Join(names, ",")
}

func number(n uint16) string { return strconv.Itoa(int(n)) }

// ParsePolicy reads what [Policy.String] writes for a valid policy, and no
// other spelling of it. Its errors wrap [ErrPolicy].
func ParsePolicy(s string) (Policy, error) {
	if len(s) > MaxPolicySize {
		return Policy{}, fmt.Errorf("%w: it must have at most %d bytes", ErrPolicy, MaxPolicySize)
	}
	var p Policy
	for field := range strings.SplitSeq(s, " ") {
		key, value, _ := strings.Cut(field, "=")
		if !p.parseField(key, value) {
			return Policy{}, fmt.Errorf("%w: it must be written as Lethe writes it", ErrPolicy)
		}
	}
	if err := p.Validate(); err != nil {
		return Policy{}, err
	}
	if p.String() != s { // another order, a field twice, zeros in front
		return Policy{}, fmt.Errorf("%w: it must be written as Lethe writes it", ErrPolicy)
	}
	return p, nil
}

func (p *Policy) parseField(key, value string) (ok bool) {
	switch key {
	case "weights":
		return p.parseWeights(value)
	case "allow":
		p.Allow, ok = parseNumber(value)
	case "step_up":
		p.StepUp, ok = parseNumber(value)
	case "mandatory":
		p.Mandatory, ok = parseSet(value)
	case "max_age":
		p.MaxAge, ok = parseSeconds(value)
	case "service":
		var d Demand
		d, ok = parseDemand(value)
		p.Services = append(p.Services, d)
	}
	return ok
}

func (p *Policy) parseWeights(s string) bool {
	for entry := range strings.SplitSeq(s, ",") {
		name, value, _ := strings.Cut(entry, ":")
		f, known := ParseFeature(name)
		weight, err := strconv.ParseUint(value, 10, 8)
		if !known || err != nil {
			return false
		}
		p.Weights[f] = uint8(weight)
	}
	return true
}

func parseDemand(s string) (Demand, bool) {
	service, rest, _ := strings.Cut(s, ":")
	allow, mandatory, more := strings.Cut(rest, ":")
	d := Demand{Service: service}
	var ok bool
	if d.Allow, ok = parseNumber(allow); !ok {
		return Demand{}, false
	}
	if more {
		d.Mandatory, ok = parseSet(mandatory)
	}
	return d, ok
}

func parseSet(s string) (set Set, ok bool) {
	for name := range strings.SplitSeq(s, ",") {
		f, known := ParseFeature(name)
		if !known {
			return 0, false
		}
		set |= SetOf(f)
	}
	return set, true
}

func parseNumber(s string) (uint16, bool) {
	n, err := strconv.ParseUint(s, 10, 16)
	return uint16(n), err == nil
}

func parseSeconds(s string) (time.Duration, bool) {
	n, err := strconv.ParseUint(s, 10, 32)
	return time.Duration(n) * time.Second, err == nil
}
