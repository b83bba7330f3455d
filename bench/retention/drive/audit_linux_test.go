package drive

import (
	"os"
	"testing"

	"github.com/lethe-relay/lethe/bench/retention/verdict"
)

// TestAudit is a small audit of the relay as it is. It looks at the same things
// as the whole one, for a shorter time.
func TestAudit(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("an audit needs root: it reads another process's memory")
	}
	if testing.Short() {
		t.Skip("starts some eight processes")
	}
	binary := buildRelay(t)
	r := auditOnce(t, binary)
	if r.Verdict == verdict.Invalid { // it came too late to something, beside the tests of other packages
		t.Logf("again, for it was invalid: %q", r.Why)
		r = auditOnce(t, binary)
	}
	if r.Verdict != verdict.Pass {
		t.Errorf("%s: %q", r.Verdict, r.Why)
	}
	if r.Nonce == "" || len(r.Relay.SHA256) != 64 || r.Relay.Lockdown != "require" || len(r.Relay.Controls) == 0 || len(r.Throughput) == 0 {
		t.Errorf("the report does not say all that it should: %+v", r.Relay)
	}
}

func auditOnce(t *testing.T, binary string) *verdict.Report {
	t.Helper()
	opt := Quick()
	opt.Gigabytes = 0.05
	opt.Launch = Launch{Binary: binary, Dir: t.TempDir(), Lockdown: "require", Sockets: auditSockets}
	opt.Progress = func(what string) { t.Log(what) }
	r, err := Audit(t.Context(), opt)
	if err != nil {
		t.Fatal(err)
	}
	return r
}
