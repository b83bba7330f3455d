//go:build linux

package e2e

import (
	"regexp"
	"testing"
	"time"

	"github.com/lethe-relay/lethe/internal/oidctest"
)

// TestLogin: with an account system at the relay, a device without an account is
// not known; it logs in as RFC 8628 says, and is.
func TestLogin(t *testing.T) {
	t.Parallel()
	ctx := deadline(t, 2*time.Minute)
	issuer := oidctest.StartProcess(t, "lethe")
	h := newRelay(t, ctx)
	h.edit("relay/relay.yaml", "idle_timeout:", "oidc: {issuer: "+issuer+", client_id: lethe}\nidle_timeout:")
	h.restartRelay(ctx)
	must(t, ctx, "lethe-agent", "init", "--dir", h.at("agent"), "--relay", h.url)
	write(t, h.at("agent/agent.yaml"), read(t, h.at("agent/agent.yaml"))+`
ecv: {allow: 60, step_up: 20, mandatory: [account]}
`)
	h.runAgent(ctx)
	must(t, ctx, h.letheCommand(h.device, append([]string{"pair", h.uri(ctx), "--name", "home"}, atHome...)...)...)

	h.here(ctx, atHome, "status", "home").refused(t, 3, "step_up_required")
	login := start(t, ctx, h.letheCommand(h.device, "login", "home")...)
	login.ours = false // it ends by itself
	code := regexp.MustCompile(`[A-Z]{4}-[A-Z]{4}`)
	var found string
	until(t, ctx, "a code to enter", func() bool {
		found = code.FindString(login.stdout.String() + login.stderr.String())
		return found != ""
	})
	if err := oidctest.Approve(ctx, issuer+"/device", found, "anna"); err != nil {
		t.Fatal(err)
	}
	if exit := login.wait(ctx); exit != 0 {
		t.Fatalf("lethe login: exit code %d\n%s", exit, login.stderr)
	}
	if r := runWith(t, ctx, "918273\n", "lethe-agent", "pin", "--config", h.at("agent/agent.yaml")); r.code != 0 {
		t.Fatalf("lethe-agent pin: %s", r.stderr)
	}
	if r := runWith(t, ctx, "918273\n", h.letheCommand(h.device, append([]string{"confirm", "home", "--pin"}, atHome...)...)...); r.code != 0 {
		t.Fatalf("confirm: %s%s", r.stdout, r.stderr)
	}
	if r := h.here(ctx, atHome, "status", "home"); r.code != 0 {
		t.Errorf("with an account: %s", r.stderr)
	}
	must(t, ctx, h.letheCommand(h.device, "logout", "home")...)
	h.here(ctx, atHome, "status", "home").refused(t, 3, "step_up_required", "account")
}
