package agent

import (
	"strings"
	"testing"
	"time"
)

// TestECVConfig: what is left out is as the template says, and reaches the policy.
func TestECVConfig(t *testing.T) {
	a := newAgent(t, strict)
	const want = "weights=account:30,wifi:40,geo:30,net:15,asn:5,country:5 allow=60 step_up=20 max_age=900 service=ssh:80:wifi service=status:30"
	if got := a.issuer.policy.String(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if r := a.cfg.Retention; time.Duration(r.Log) != 30*day || time.Duration(r.Environments) != 90*day {
		t.Errorf("%+v", r)
	}
	if a := newAgent(t, "retention: {log: 7d}"); a.issuer.policy != nil || time.Duration(a.cfg.Retention.Environments) != 90*day {
		t.Errorf("without ecv: %v, %+v", a.issuer.policy, a.cfg.Retention)
	}
}

// templateECV is what the template comments out, without the marks.
func templateECV() string {
	_, text, _ := strings.Cut(configTemplate, "# ecv:\n")
	text = strings.NewReplacer("#   ", "   ", "# retention", "retention").Replace("# ecv:\n"[2:] + text)
	var yaml []string
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "# ") {
			yaml = append(yaml, line)
		}
	}
	return strings.Join(yaml, "")
}

// TestECVTemplate: what the template comments out is right when the marks are taken away.
func TestECVTemplate(t *testing.T) {
	a := newAgent(t, templateECV())
	const want = "weights=account:30,wifi:40,geo:30,net:15,asn:5,country:5 allow=75 step_up=20 max_age=900 service=manage:90"
	if got := a.issuer.policy.String(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// TestECVConfigErrors: each names the key that is wrong, and how to mend it.
func TestECVConfigErrors(t *testing.T) {
	for yaml, want := range map[string]string{
		"ecv: {step_up: 10}":                                                                 "ecv.allow: is missing; say from which score",
		"ecv: {allow: 25}":                                                                   "ecv.allow: it must be more than 25",
		"ecv: {allow: 126}":                                                                  "ecv.allow: it must be more than 25",
		"ecv: {allow: -1}":                                                                   "ecv.allow: must be between 0 and 600",
		"ecv: {allow: 65596}":                                                                "ecv.allow: must be between 0 and 600", // 60 in 16 bits
		"ecv: {allow: 60, step_up: 61}":                                                      "ecv.step_up: it must be at most allow",
		"ecv: {allow: 60, step_up: -1}":                                                      "ecv.step_up: must be between 0 and 600",
		"ecv: {allow: 60, weights: {wifi: 101}}":                                             "ecv.weights.wifi: must be between 0 and 100",
		"ecv: {allow: 60, weights: {net: -1}}":                                               "ecv.weights.net: must be between 0 and 100",
		"ecv: {allow: 60, weights: {wlan: 1}}":                                               "ecv.weights.wlan: ",
		"ecv: {allow: 60, mandatory: [geo, smell]}":                                          `ecv.mandatory[1]: "smell" is no feature: take of account, wifi, geo, net, asn, country`,
		"ecv: {allow: 60, weights: {asn: 0}, mandatory: [asn]}":                              "ecv.mandatory: asn has no weight",
		"ecv: {allow: 60, max_age: 0s}":                                                      "ecv.max_age: it must be whole seconds",
		"ecv: {allow: 60, max_age: 31d}":                                                     "ecv.max_age: it must be whole seconds",
		"ecv: {allow: 60, max_speed_kmh: 0}":                                                 "ecv.max_speed_kmh: must be between 1",
		"ecv: {allow: 60, services: [{name: http, allow: 60}]}":                              `ecv.services[0].name: the router offers no service "http": it offers status, manage, personal, forget, unpair`,
		"ecv: {allow: 60, services: [{name: status, allow: 10}]}":                            "ecv.services[0].allow: it must be more than 25",
		"ecv: {allow: 60, services: [{name: status}]}":                                       "ecv.services[0].allow: it must be more than 25",
		"ecv: {allow: 60, services: [{name: status, allow: 999}]}":                           "ecv.services[0].allow: must be between 0 and 600",
		"ecv: {allow: 60, services: [{name: status, allow: 60, mandatory: [x]}]}":            `ecv.services[0].mandatory[0]: "x" is no feature`,
		"ecv: {allow: 60, services: [{name: -x, allow: 60}]}":                                "ecv.services[0].name: a name has 1 to 32",
		"ecv: {allow: 60, services: [{name: status, allow: 60}, {name: status, allow: 70}]}": "ecv.services[1].name: is used twice",
		"retention: {log: 59m}":                                                              "retention.log: must be an hour or more",
		"retention: {environments: 0s}":                                                      "retention.environments: must be an hour or more",
	} {
		dir, path := newDir(t)
		write(t, path, "relay: "+testRelay+"\n"+yaml+"\n", 0o600)
		_, err := LoadConfig(path)
		if err == nil || !strings.HasPrefix(err.Error(), dir+"/agent.yaml:2:") || !strings.Contains(err.Error(), want) {
			t.Errorf("%s:\ngot  %v\nwant %s", yaml, err, want)
		}
	}
}
