package auth

import (
	"bytes"
	"crypto/ed25519"
	"maps"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"github.com/lethe-relay/lethe/auth/ecv"
)

// forgeConditions is forge for a grant with a policy and accepted environments.
func forgeConditions(t testing.TB, key ed25519.PrivateKey, change func(*ssh.Certificate)) []byte {
	t.Helper()
	return forgeGrant(t, environmentVector(t).grant(), key, change)
}

// Threat: the holder of a grant, or a relay, makes its conditions easier. Each
// change gives a grant that would be fine if the router had signed it, so
// nothing but the signature and the comparison of keys stands in the way.
func TestVerifyRefusesEasierConditions(t *testing.T) {
	v := environmentVector(t)
	router, device, stranger := identityOf(t, 1), identityOf(t, 2), identityOf(t, 6)
	option := func(name, value string) func(*ssh.Certificate) {
		return func(c *ssh.Certificate) { c.CriticalOptions[name] = value }
	}
	inName := func(change func(*ssh.Certificate)) func(*ssh.Certificate) {
		return func(c *ssh.Certificate) {
			change(c)
			c.SignatureKey = sshKey(t, router.PublicKey())
		}
	}
	for name, change := range map[string]func(*ssh.Certificate){
		"no policy": func(c *ssh.Certificate) {
			maps.DeleteFunc(c.CriticalOptions, func(name, _ string) bool { return name != optionServices })
		},
		"an easier policy":             option(optionPolicy, strings.Replace(v.Policy, "allow=60", "allow=30", 1)),
		"older evidence":               option(optionPolicy, strings.Replace(v.Policy, "max_age=3600", "max_age=2592000", 1)),
		"a service without its demand": option(optionPolicy, strings.TrimSuffix(v.Policy, " service=ssh:80:wifi")),
		"no environments":              func(c *ssh.Certificate) { delete(c.CriticalOptions, optionAccepted) },
		"another grant's environments": option(optionAccepted, string(acceptedOf(3).Append(nil))),
		"one environment more":         option(optionAccepted, string(make([]byte, 1+len(ecv.TagID{})))+string(v.Accepted)),
		"other services":               option(optionServices, "ssh"),
		"another role":                 func(c *ssh.Certificate) { c.ValidPrincipals = []string{"admin"} },
		"a longer time":                func(c *ssh.Certificate) { c.ValidBefore++ },
		"another serial":               func(c *ssh.Certificate) { c.Serial++ },
	} {
		t.Run(name, func(t *testing.T) {
			if err := verifyAs(t, v, forgeConditions(t, router.key, change)); err != nil {
				t.Fatalf("the attacks below would be refused for the wrong reason: %v", err)
			}
			wantRefusal(t, verifyAs(t, v, splice(t, v.Wire, change)), ErrGrantSignature)
			wantRefusal(t, verifyAs(t, v, forgeConditions(t, stranger.key, inName(change))), ErrGrantSignature)
			wantRefusal(t, verifyAs(t, v, forgeConditions(t, stranger.key, change)), ErrGrantWrongRouter)
			wantRefusal(t, verifyAs(t, v, forgeConditions(t, device.key, change)), ErrGrantWrongRouter)
			_, err := ParseGrant(splice(t, v.Wire, change))
			wantRefusal(t, err, ErrGrantSignature)
		})
	}
}

// splice changes a signed grant and leaves its signature in place.
func splice(t *testing.T, raw []byte, change func(*ssh.Certificate)) []byte {
	t.Helper()
	key, err := ssh.ParsePublicKey(raw)
	if err != nil {
		t.Fatal(err)
	}
	cert := key.(*ssh.Certificate)
	change(cert)
	return cert.Marshal()
}

// Conditions that Lethe does not write, under the router's own signature: a
// newer or a broken router.
func TestVerifyRefusesForgedConditions(t *testing.T) {
	v := environmentVector(t)
	const entry = 1 + len(ecv.TagID{})
	first, second := string(v.Accepted[:entry]), string(v.Accepted[entry:2*entry])
	option := func(name, value string) func(*ssh.Certificate) {
		return func(c *ssh.Certificate) { c.CriticalOptions[name] = value }
	}
	for _, c := range []struct {
		name   string
		change func(*ssh.Certificate)
		want   error
	}{
		{"environments without a policy", func(c *ssh.Certificate) { delete(c.CriticalOptions, optionPolicy) }, ErrGrantPolicy},
		{"empty policy", option(optionPolicy, ""), ErrGrantPolicy},
		{"policy in another order", option(optionPolicy, strings.Replace(v.Policy, "allow=60 step_up=30", "step_up=30 allow=60", 1)), ErrGrantPolicy},
		{"number with a zero in front", option(optionPolicy, strings.Replace(v.Policy, "allow=60", "allow=060", 1)), ErrGrantPolicy},
		{"space after the policy", option(optionPolicy, v.Policy+" "), ErrGrantPolicy},
		{"line break in the policy", option(optionPolicy, v.Policy+"\n"), ErrGrantPolicy},
		{"unknown word in the policy", option(optionPolicy, v.Policy+" moon=full"), ErrGrantPolicy},
		{"policy of a relay's word alone", option(optionPolicy, strings.Replace(v.Policy, "allow=60", "allow=20", 1)), ErrGrantPolicy},
		{"policy that nobody can meet", option(optionPolicy, strings.Replace(v.Policy, "allow=60", "allow=600", 1)), ErrGrantPolicy},
		{"step-up above allow", option(optionPolicy, strings.Replace(v.Policy, "step_up=30", "step_up=61", 1)), ErrGrantPolicy},
		{"long policy", option(optionPolicy, v.Policy+strings.Repeat(" service=x:60", 100)), ErrGrantPolicy},
		{"empty environments", option(optionAccepted, ""), ErrGrantMalformed},
		{"half an environment", option(optionAccepted, first[:entry-1]), ErrGrantPolicy},
		{"environment and a byte", option(optionAccepted, first+"\x00"), ErrGrantPolicy},
		{"environment twice", option(optionAccepted, first+first), ErrGrantPolicy},
		{"environments out of order", option(optionAccepted, second+first), ErrGrantPolicy},
		{"environment of an unknown feature", option(optionAccepted, "\x06"+first[1:]), ErrGrantPolicy},
		{"too many environments", option(optionAccepted, strings.Repeat(first, ecv.MaxAccepted+1)), ErrGrantPolicy},
		{"no services", func(c *ssh.Certificate) { delete(c.CriticalOptions, optionServices) }, ErrGrantServices},
		{"unknown option beside them", option("ecv-moon@lethe", "full"), ErrGrantUnknownCritical},
		{"policy under another name", option("ECV-policy@lethe", v.Policy), ErrGrantUnknownCritical},
		{"policy as an extension too", func(c *ssh.Certificate) { c.Extensions = map[string]string{optionPolicy: v.Policy} }, ErrGrantExtension},
	} {
		t.Run(c.name, func(t *testing.T) {
			raw := forgeConditions(t, identityOf(t, 1).key, c.change)
			wantRefusal(t, verifyAs(t, v, raw), c.want)
			_, err := ParseGrant(raw)
			wantRefusal(t, err, c.want)
		})
	}
}

// Options that mean the same in another encoding, signed by the right key.
func TestVerifyRefusesOtherEncodingsOfOptions(t *testing.T) {
	v := environmentVector(t)
	router := identityOf(t, 1)
	option := func(name, value string) []byte {
		return appendString(appendString(nil, []byte(name)), appendString(nil, []byte(value)))
	}
	accepted, policy, services := option(optionAccepted, string(v.Accepted)), option(optionPolicy, v.Policy), option(optionServices, "*")
	body := v.Wire[:len(v.Wire)-signatureField]
	right := appendString(nil, bytes.Join([][]byte{accepted, policy, services}, nil))
	if bytes.Count(body, right) != 1 {
		t.Fatal("the options to replace are not there once")
	}
	bare := appendString(appendString(nil, []byte(optionPolicy)), []byte(v.Policy))
	for name, options := range map[string][][]byte{
		"policy first":                 {policy, accepted, services},
		"services first":               {services, accepted, policy},
		"policy twice":                 {accepted, policy, policy, services},
		"two policies":                 {accepted, policy, option(optionPolicy, strings.Replace(v.Policy, "allow=60", "allow=30", 1)), services},
		"environments twice":           {accepted, accepted, policy, services},
		"services twice":               {accepted, policy, services, services},
		"policy without inner length":  {accepted, bare, services},
		"policy with a tail":           {accepted, appendString(appendString(nil, []byte(optionPolicy)), append(appendString(nil, []byte(v.Policy)), 0)), services},
		"a byte after the last option": {accepted, policy, services, {0}},
		"last option cut short":        {accepted, policy, services[:len(services)-1]},
	} {
		t.Run(name, func(t *testing.T) {
			changed := bytes.Replace(body, right, appendString(nil, bytes.Join(options, nil)), 1)
			wantRefusal(t, verifyAs(t, v, appendSignature(changed, router.key)), ErrGrantMalformed)
		})
	}
	wantRefusal(t, verifyAs(t, v, appendSignature(bytes.Clone(body), router.key)), nil)
}
