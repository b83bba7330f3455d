package auth

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestGrantVectors(t *testing.T) {
	for _, v := range grantVectors(t) {
		t.Run(v.Name, func(t *testing.T) {
			router := identityOf(t, v.RouterSeed[0])
			raw, err := Issue(router, v.grant(), bytes.NewReader(v.Nonce))
			if err != nil || !bytes.Equal(raw, v.Wire) {
				t.Fatalf("Issue: %x, %v", raw, err)
			}
			got, err := Verify(v.Wire, router.RouterID(), ed25519.PublicKey(v.Device), time.Unix(v.NotBefore, 0))
			if err != nil || !reflect.DeepEqual(got, v.grant()) {
				t.Errorf("Verify: %+v, %v", got, err)
			}
			signed, err := ParseGrant(v.Wire)
			if err != nil || !reflect.DeepEqual(signed.Grant, v.grant()) || signed.Router != router.RouterID() {
				t.Errorf("ParseGrant: %+v, %v", signed, err)
			}
			if file := GrantFile(v.Wire); string(file) != v.File {
				t.Errorf("GrantFile: %s", file)
			}
			if raw, err := ParseGrantFile([]byte(v.File)); err != nil || !bytes.Equal(raw, v.Wire) {
				t.Errorf("ParseGrantFile: %x, %v", raw, err)
			}
		})
	}
}

// Clocks that are wrong in either direction; with a policy and without.
func TestVerifyTime(t *testing.T) {
	for _, v := range grantVectors(t) {
		begin, end := v.grant().NotBefore, v.grant().NotAfter
		for _, c := range []struct {
			name string
			now  time.Time
			want error
		}{
			{"at the beginning", begin, nil},
			{"inside the allowance", begin.Add(-NotBeforeSkew), nil},
			{"before the allowance", begin.Add(-NotBeforeSkew - 1), ErrGrantNotYetValid},
			{"in the last nanosecond", end.Add(-1), nil},
			{"at the end", end, ErrGrantExpired},
			{"inside the allowance, after the end", end.Add(NotBeforeSkew - 1), ErrGrantExpired},
			{"long after", end.AddDate(100, 0, 0), ErrGrantExpired},
			{"in the year 1", time.Time{}, ErrGrantNotYetValid},
		} {
			t.Run(v.Name+"/"+c.name, func(t *testing.T) {
				_, err := Verify(v.Wire, identityOf(t, 1).RouterID(), ed25519.PublicKey(v.Device), c.now)
				if !errors.Is(err, c.want) {
					t.Errorf("got %v, want %v", err, c.want)
				}
			})
		}
	}
}

func TestIssueRefusesWhatVerifyWould(t *testing.T) {
	many := make([]string, MaxServices+1)
	for i := range many {
		many[i] = strings.Repeat("a", 1+i/26) + string(rune('a'+i%26))
	}
	for _, c := range []struct {
		name   string
		change func(*Grant)
		want   error
	}{
		{"no key", func(g *Grant) { g.Device = nil }, ErrGrantKeyType},
		{"a short key", func(g *Grant) { g.Device = g.Device[:31] }, ErrGrantKeyType},
		{"no role", func(g *Grant) { g.Role = "" }, ErrGrantRole},
		{"an unknown role", func(g *Grant) { g.Role = "root" }, ErrGrantRole},
		{"a role in capitals", func(g *Grant) { g.Role = "Owner" }, ErrGrantRole},
		{"no services", func(g *Grant) { g.Services = nil }, ErrGrantServices},
		{"an empty name", func(g *Grant) { g.Services = []string{""} }, ErrGrantServices},
		{"all and one", func(g *Grant) { g.Services = []string{"*", "http"} }, ErrGrantServices},
		{"a comma in a name", func(g *Grant) { g.Services = []string{"a,b"} }, ErrGrantServices},
		{"too many services", func(g *Grant) { g.Services = many }, ErrGrantServices},
		{"an empty span", func(g *Grant) { g.NotAfter = g.NotBefore }, ErrGrantValidity},
		{"less than a second", func(g *Grant) { g.NotAfter = g.NotBefore.Add(time.Second - 1) }, ErrGrantValidity},
		{"a negative span", func(g *Grant) { g.NotAfter = g.NotBefore.Add(-time.Hour) }, ErrGrantValidity},
		{"before 1970", func(g *Grant) { g.NotBefore = time.Unix(-1, 0) }, ErrGrantValidity},
		{"zero times", func(g *Grant) { g.NotBefore, g.NotAfter = time.Time{}, time.Time{} }, ErrGrantValidity},
		{"the year 10000", func(g *Grant) { g.NotAfter = time.Unix(maxGrantUnix+1, 0) }, ErrGrantValidity},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := grantVectors(t)[0].grant()
			c.change(&g)
			if raw, err := Issue(identityOf(t, 1), g, rand.Reader); !errors.Is(err, c.want) || raw != nil {
				t.Errorf("got %v, want %v", err, c.want)
			}
		})
	}
	if _, err := Issue(identityOf(t, 1), grantVectors(t)[0].grant(), strings.NewReader("short")); err == nil {
		t.Error("a grant was signed without a whole nonce")
	}
}

// The longest grant that Issue signs still is one that Verify reads.
func TestLongestGrantFits(t *testing.T) {
	g := grantVectors(t)[0].grant()
	g.Services = nil
	for i := range MaxServices {
		g.Services = append(g.Services, strings.Repeat("x", 32-2)+string(rune('a'+i/8))+string(rune('a'+i%8)))
	}
	raw, err := Issue(identityOf(t, 1), g, rand.Reader)
	if err != nil || len(raw) > MaxGrantSize {
		t.Fatalf("%d bytes, %v", len(raw), err)
	}
	if _, err := Verify(raw, identityOf(t, 1).RouterID(), g.Device, g.NotBefore); err != nil {
		t.Error(err)
	}
}

// Whatever Issue signs, Verify gives back, sorted and in whole seconds; and
// Issue leaves its argument alone.
func TestIssueVerifyRoundTrip(t *testing.T) {
	router := identityOf(t, 1)
	rapid.Check(t, func(t *rapid.T) {
		begin := time.Unix(rapid.Int64Range(0, maxGrantUnix-1).Draw(t, "begin"), rapid.Int64Range(0, 999999999).Draw(t, "ns"))
		end := time.Unix(rapid.Int64Range(begin.Unix()+1, maxGrantUnix).Draw(t, "end"), 5)
		g := Grant{
			Device:    rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "device"),
			Role:      rapid.SampledFrom([]Role{RoleOwner, RoleAdmin, RoleGuest}).Draw(t, "role"),
			Services:  rapid.SliceOfN(rapid.StringMatching(`[a-z0-9][a-z0-9-]{0,31}`), 1, 8).Draw(t, "services"),
			NotBefore: begin, NotAfter: end, Serial: rapid.Uint64().Draw(t, "serial"),
		}
		if rapid.Bool().Draw(t, "with a policy") {
			g.Policy, g.Accepted = drawEnvironment(t)
		}
		before := slices.Clone(g.Services)
		raw, err := Issue(router, g, rand.Reader)
		if err != nil || !slices.Equal(before, g.Services) {
			t.Fatalf("%v; services %v became %v", err, before, g.Services)
		}
		got, err := Verify(raw, router.RouterID(), g.Device, begin)
		if err != nil {
			t.Fatal(err)
		}
		slices.Sort(before)
		want := g
		want.Services, want.NotBefore, want.NotAfter = slices.Compact(before), begin.Truncate(time.Second).UTC(), end.Truncate(time.Second).UTC()
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("got %+v, want %+v", got, want)
		}
	})
}

func TestVerifyKeepsNoInput(t *testing.T) {
	for _, v := range grantVectors(t) {
		raw := bytes.Clone(v.Wire)
		got, err := Verify(raw, identityOf(t, 1).RouterID(), ed25519.PublicKey(v.Device), v.grant().NotBefore)
		if err != nil {
			t.Fatal(err)
		}
		clear(raw)
		if !reflect.DeepEqual(got, v.grant()) {
			t.Errorf("%s: overwriting the input changed the result", v.Name)
		}
	}
}

func TestAllows(t *testing.T) {
	some, all := Grant{Services: []string{"http", "ssh"}}, Grant{Services: []string{AllServices}}
	for _, c := range []struct {
		service   string
		some, all bool
	}{
		{"http", true, true}, {"ssh", true, true}, {"files", false, true}, {"htt", false, true},
		{"", false, false}, {"*", false, false}, {"http,ssh", false, false}, {"HTTP", false, false},
	} {
		if some.Allows(c.service) != c.some || all.Allows(c.service) != c.all {
			t.Errorf("%q: %v, %v", c.service, some.Allows(c.service), all.Allows(c.service))
		}
	}
	if (Grant{}).Allows("http") {
		t.Error("a grant of nothing allows http")
	}
}

func TestValidService(t *testing.T) {
	for name, want := range map[string]bool{
		"http": true, "a": true, "7zip": true, "b-c-d": true, "a.b": false, "a_b": false, strings.Repeat("a", 32): true,
		"": false, "-a": false, ".a": false, "_a": false, "A": false, "a b": false, "a,b": false, "*": false, "ä": false,
		"a\x00": false, strings.Repeat("a", 33): false,
	} {
		if ValidService(name) != want {
			t.Errorf("%q: want %v", name, want)
		}
	}
}

func TestParseGrantFile(t *testing.T) {
	v := grantVectors(t)[0]
	line := strings.TrimSpace(v.File)
	kind, b64, _ := strings.Cut(line, " ")
	for name, file := range map[string]string{
		"no newline": line, "a comment": line + " home router\n", "spaces": "  " + line + " \r\n", "a tab": kind + "\t" + b64,
	} {
		if raw, err := ParseGrantFile([]byte(file)); err != nil || !bytes.Equal(raw, v.Wire) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, c := range []struct{ name, file, says string }{
		{"empty", "", "one line"},
		{"only the type", kind, "one line"},
		{"two lines", v.File + v.File, "one line"},
		{"broken line", line[:80] + "\n" + line[80:], "one line"},
		{"a public key", "ssh-ed25519 " + b64, "not an Ed25519 certificate"},
		{"cut short", line[:len(line)-1], "damaged"},
		{"not base64", kind + " !!!!", "damaged"},
		{"huge", line + strings.Repeat(" ", 2*MaxGrantSize), "too large"},
	} {
		if _, err := ParseGrantFile([]byte(c.file)); !errors.Is(err, ErrGrantMalformed) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want %q", c.name, err, c.says)
		}
	}
}
