package guard

import (
	"maps"
	"strings"
	"testing"
)

const printed = `goos: linux
goarch: amd64
pkg: github.com/lethe-relay/lethe/auth
cpu: AMD EPYC
BenchmarkVerify/services-2         	     100	    106342 ns/op	   10240 B/op	      95 allocs/op
BenchmarkVerifyLegMessage          	     100	       500.0 ns/op	       0 B/op	       0 allocs/op
PASS
ok  	github.com/lethe-relay/lethe/auth	0.1s
`

func TestAllocations(t *testing.T) {
	f := functions{"auth", "Verify|VerifyLegMessage"}
	got := make(Values)
	want := Values{"allocations: auth Verify/services": 95, "allocations: auth VerifyLegMessage": 0}
	if err := f.allocations([]byte(printed), got); err != nil || !maps.Equal(got, want) {
		t.Errorf("got %v, %v", got, err)
	}
	for name := range got {
		if !IsFunction(name) {
			t.Errorf("%s is no function's", name)
		}
	}
	for out, why := range map[string]string{
		strings.ReplaceAll(printed, "ns/op", ""):                       "benchstat could not read",
		strings.ReplaceAll(printed, "	       0 allocs/op", ""):         "has no allocations",
		strings.ReplaceAll(printed, "BenchmarkVerifyLeg", "VerifyLeg"): "auth: there is no benchmark VerifyLegMessage",
	} {
		if err := f.allocations([]byte(out), make(Values)); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("got %v, want %q", err, why)
		}
	}
}
