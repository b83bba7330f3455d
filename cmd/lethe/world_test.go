package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/auth/ecv"
	"github.com/lethe-relay/lethe/internal/cli"
	"github.com/lethe-relay/lethe/internal/relaytest"
	"github.com/lethe-relay/lethe/relay"
	"github.com/lethe-relay/lethe/tunnel"
	"github.com/lethe-relay/lethe/tunnel/device"
	"github.com/lethe-relay/lethe/tunnel/service"
)

// testSecret is the pairing secret of all these tests, so that tags are always the same.
var testSecret = [32]byte{1, 2, 3}

// world is a real relay, a router that does as the test says, and a device's folder.
type world struct {
	*testing.T
	relay  auth.RelayURL
	router *auth.Identity
	device *auth.Identity
	dir    string

	services []string // of the grants; nil: all
	// guarded by mu, since the router looks at them; see does
	mu      sync.Mutex
	judge   func(tunnel.Case) tunnel.Ruling
	confirm func(pin string) (tunnel.Ruling, error)
	answer  func(through string, request service.ManageRequest) service.ManageAnswer
	refusal string              // a code, in the place of each answer
	window  *auth.PairingWindow // of a pairing URI that is out
	asked   []service.ManageRequest
}

// does changes what the router does.
func (w *world) does(change func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	change()
}

// now is what one part of the router does now.
func now[T any](w *world, part *T) T {
	w.mu.Lock()
	defer w.mu.Unlock()
	return *part
}

// testPolicy lets in whoever has the key and the Wi-Fi, and wants ssh to be safer.
func testPolicy() *ecv.Policy {
	p := &ecv.Policy{
		Allow: 60, StepUp: 20, MaxAge: time.Hour,
		Services: []ecv.Demand{{Service: "ssh", Allow: 80, Mandatory: ecv.SetOf(ecv.WiFi)}, {Service: "status", Allow: 50}},
	}
	p.Weights[ecv.Account], p.Weights[ecv.WiFi], p.Weights[ecv.Geo], p.Weights[ecv.Net] = 20, 40, 20, 20
	return p
}

// newWorld has a device with a grant that accepts its key and the Wi-Fi "home net". change changes the relay.
func newWorld(t *testing.T, change func(*relay.Config)) *world {
	t.Helper()
	w := &world{T: t, dir: filepath.Join(t.TempDir(), "device"), router: newIdentity(t), device: newIdentity(t)}
	w.relay = relaytest.Start(t, change)
	w.judge = func(c tunnel.Case) tunnel.Ruling {
		found := ecv.CheckEvidence(c.Evidence, testSecret, c.Device.Grant.Accepted, time.Hour, time.Now())
		found[ecv.Account] = ecv.CheckVouched(ecv.Account, c.Vouched.Account, c.Device.Grant.Accepted)
		found[ecv.Net] = ecv.CheckVouched(ecv.Net, c.Vouched.Net, c.Device.Grant.Accepted)
		p, services := c.Device.Grant.Policy, make(map[string]ecv.Verdict)
		for _, d := range p.Services {
			services[d.Service] = p.JudgeService(found, d.Service).Verdict
		}
		return tunnel.Ruling{Judgement: p.Judge(found), Needed: 60, PIN: true, Approval: true, Services: services}
	}
	w.writeStore(w.grant(1, testPolicy()))
	w.startRouter()
	return w
}

func newIdentity(t *testing.T) *auth.Identity {
	t.Helper()
	id, err := auth.NewIdentity(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func (w *world) grant(serial uint64, policy *ecv.Policy, more ...ecv.Entry) []byte {
	w.Helper()
	account := ecv.ObservationKey(testSecret).TagID(ecv.Account, ecv.DeviceAccount(w.device.PublicKey()))
	wifi := ecv.WiFiTagID(testSecret, ecv.Network{SSID: "home net"})
	g := auth.Grant{
		Device: w.device.PublicKey(), Role: auth.RoleOwner, Services: []string{auth.AllServices},
		NotBefore: time.Now(), NotAfter: time.Now().Add(time.Hour), Serial: serial, Policy: policy,
	}
	if w.services != nil {
		g.Services = w.services
	}
	if policy != nil {
		g.Accepted = ecv.NewAccepted(append(more, ecv.Entry{Feature: ecv.Account, ID: account}, ecv.Entry{Feature: ecv.WiFi, ID: wifi})...)
	}
	raw, err := auth.Issue(w.router, g, rand.Reader)
	if err != nil {
		w.Fatal(err)
	}
	return raw
}

// writeStore makes the device's folder, with the router as "home".
func (w *world) writeStore(grant []byte) {
	w.Helper()
	key, err := w.device.MarshalPEM()
	if err != nil {
		w.Fatal(err)
	}
	url := w.relay
	url.Token = auth.Token{}
	putPaired(w.T, w.dir, "home", key, url, w.router.RouterID(), grant)
}

func (w *world) startRouter() {
	w.Helper()
	l, err := tunnel.Listen(w.Context(), tunnel.ListenConfig{Identity: w.router, Relay: w.relay, Judging: &tunnel.Judging{
		Judge: func(c tunnel.Case) tunnel.Ruling { return now(w, &w.judge)(c) },
		Confirm: func(_ context.Context, _ tunnel.Case, pin string) (tunnel.Ruling, error) {
			return now(w, &w.confirm)(pin)
		},
	}, Pairing: &tunnel.Pairing{Open: func() bool { return now(w, &w.window) != nil }, Pair: w.pair}})
	if err != nil {
		w.Fatal(err)
	}
	var running sync.WaitGroup
	running.Go(func() {
		for {
			s, err := l.Accept()
			if err != nil {
				return
			}
			running.Go(func() { w.serve(s.(*tunnel.Stream)) })
		}
	})
	w.Cleanup(func() { l.Close(); running.Wait() })
}

// pair takes a device that holds the URI of the window.
func (w *world) pair(a tunnel.PairAttempt) (grant []byte, name string, err error) {
	if err := now(w, &w.window).Check(a.Proof[:], a.Exported.Binding, a.Device, time.Now()); err != nil {
		return nil, "", err
	}
	grant, err = auth.Issue(w.router, auth.Grant{
		Device: a.Device, Role: auth.RoleOwner, Services: []string{auth.AllServices},
		NotBefore: time.Now(), NotAfter: time.Now().Add(time.Hour), Serial: 9,
	}, rand.Reader)
	return grant, "Home", err
}

func (w *world) serve(s *tunnel.Stream) {
	defer s.Close()
	if code := now(w, &w.refusal); code != "" {
		s.Refuse(code)
		return
	}
	var request service.ManageRequest
	if json.NewDecoder(s).Decode(&request) != nil {
		return
	}
	w.does(func() { w.asked = append(w.asked, request) })
	json.NewEncoder(s).Encode(now(w, &w.answer)(s.Service(), request))
}

// lastAsked is the latest request that the router was sent.
func (w *world) lastAsked() service.ManageRequest {
	asked := now(w, &w.asked)
	if len(asked) == 0 {
		return service.ManageRequest{}
	}
	return asked[len(asked)-1]
}

// result is what a command printed, and how it ended.
type result struct {
	out, said string
	err       error
	code      int
}

// run runs lethe with these arguments at the Wi-Fi "home net", unless they say otherwise.
func (w *world) run(args ...string) result {
	w.Helper()
	return w.typing("", args...)
}

func (w *world) typing(stdin string, args ...string) result {
	w.Helper()
	return runIn(w.Context(), w.dir, strings.NewReader(stdin), &bytes.Buffer{}, args...)
}

func runIn(ctx context.Context, dir string, stdin io.Reader, said *bytes.Buffer, args ...string) (r result) {
	var out bytes.Buffer
	root := command()
	root.SilenceErrors, root.SilenceUsage = true, true
	root.SetIn(stdin)
	root.SetOut(&out)
	root.SetErr(said)
	root.SetArgs(append([]string{"--dir", dir, "--wifi-ssid", "home net", "--location", "none"}, args...))
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	r.err = root.ExecuteContext(ctx)
	r.out, r.said = out.String(), said.String()
	var usage *cli.UsageError
	switch {
	case errors.As(r.err, &usage):
		r.code = cli.ExitUsage
	case r.err != nil:
		r.code = cli.TunnelCode(r.err)
	}
	return r
}

// want fails unless the command ended with this code and, if it failed, with all of these words.
func (r result) want(t *testing.T, code int, words ...string) result {
	t.Helper()
	if r.code != code {
		t.Fatalf("exit code %d, want %d: %v", r.code, code, r.err)
	}
	text := r.out + r.said
	if r.err != nil {
		text += r.err.Error()
	}
	for _, word := range words {
		if !strings.Contains(text, word) {
			t.Errorf("there is no %q in\n%s", word, text)
		}
	}
	return r
}

func (w *world) store() *device.Store {
	w.Helper()
	s, err := device.Open(w.dir)
	if err != nil {
		w.Fatal(err)
	}
	return s
}
