package relay

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lethe-relay/lethe/internal/lockdown"
	"github.com/lethe-relay/lethe/internal/packetmem"
	"github.com/lethe-relay/lethe/internal/telemetry"
	"github.com/lethe-relay/lethe/relay/account"
)

// TestRetentionPage: in a process that is not locked down, the page and the metrics
// say so, control by control, each with how to mend it.
func TestRetentionPage(t *testing.T) {
	_, cfg := initRelay(t)
	r := start(t, cfg, quiet())
	var page Retention
	if err := json.Unmarshal([]byte(r.get(t, "/retention")), &page); err != nil {
		t.Fatal(err)
	}
	if page.Mode != lockdown.Off || page.InForce || time.Since(page.At) > time.Minute {
		t.Errorf("%+v", page)
	}
	samples := r.metrics(t)
	if samples[`lethe_relay_lockdown_info{mode="off"}`] != 1 {
		t.Error("the metrics don't tell the mode")
	}
	for _, c := range page.Controls {
		want := 0.0
		if c.InForce {
			want = 1
		}
		if got, there := samples[`lethe_relay_retention_control_in_force{control="`+c.Name+`"}`]; !there || got != want {
			t.Errorf("%s is %v in the metrics, want %v", c.Name, got, want)
		}
		if c.How == "" || !c.InForce && c.Mend == "" {
			t.Errorf("%s says not how it was verified, or how to mend it: %+v", c.Name, c)
		}
		if codeOfControl(c.Name) == 0 {
			t.Errorf("the log can't name %s", c.Name)
		}
	}
	for _, name := range []string{buffersLocked, buffersUndumped, buffersWiped} {
		if !slices.ContainsFunc(page.Controls, func(c lockdown.Control) bool { return c.Name == name }) {
			t.Errorf("%s is not there", name)
		}
	}
	var status Status
	if err := json.Unmarshal([]byte(r.get(t, "/status")), &status); err != nil {
		t.Fatal(err)
	}
	if status.Version != "v0" || status.Lockdown.InForce || len(status.Lockdown.NotInForce) == 0 || status.Certificate.Files || time.Since(status.Started) > time.Minute {
		t.Errorf("%+v", status)
	}
}

// TestNeeds: a relay may do afterwards what its configuration asks for, and no more.
func TestNeeds(t *testing.T) {
	_, cfg := initRelay(t)
	r := &Relay{cfg: cfg, certificate: &certificate{}}
	if n := r.needs(); len(n.ConnectPorts)+len(n.ReadDirs)+len(n.ReadFiles) != 0 {
		t.Errorf("without accounts and certificate: %+v", n)
	}
	for issuer, want := range map[string][]uint16{
		"https://login.example.org":           {443},
		"https://login.example.org:8443/here": {8443, 443},
		"http://127.0.0.1":                    {80, 443},
	} {
		cfg.OIDC = account.Config{Issuer: issuer, ClientID: "lethe"}
		n := r.needs()
		if !slices.Equal(n.ConnectPorts, want) || len(n.ReadDirs)+len(n.ReadFiles) != 0 {
			t.Errorf("%s: %+v", issuer, n)
		}
	}
}

// TestRequireIsAllOrNothing: with require, a relay whose packet buffers can't be
// locked does not serve; with prefer it does, and shouts.
func TestRequireIsAllOrNothing(t *testing.T) {
	state := func(mode lockdown.Mode, missing string) Retention {
		s := Retention{Mode: mode, InForce: missing == "" || missing == lockdown.MemoryLocked}
		for _, name := range controlNames()[1:] {
			s.Controls = append(s.Controls, lockdown.Control{Name: name, InForce: name != missing, How: "it was tried", Mend: "raise LimitMEMLOCK"})
		}
		return s
	}
	var log bytes.Buffer
	r := &Relay{log: telemetry.New(slog.New(slog.NewTextHandler(&log, nil)))}
	for _, tt := range []struct {
		mode    lockdown.Mode
		missing string
		wantErr bool
		says    string // empty: nothing, since the relay does not run
	}{
		{lockdown.Require, "", false, "locked down"},
		{lockdown.Require, lockdown.MemoryLocked, false, "control=memory_locked"},
		{lockdown.Require, buffersLocked, true, ""},
		{lockdown.Prefer, "", false, "level=WARN msg=\"ZERO RETENTION IS NOT REQUIRED"},
		{lockdown.Prefer, buffersLocked, false, "level=WARN msg=\"ZERO RETENTION IS NOT ENFORCED: with lockdown: prefer"},
		{lockdown.Prefer, buffersLocked, false, "control=packet_buffers_locked"},
		{lockdown.Off, lockdown.Seccomp, false, "level=WARN msg=\"ZERO RETENTION IS NOT ENFORCED: lockdown is off"},
	} {
		log.Reset()
		err := r.sayRetention(state(tt.mode, tt.missing))
		if (err != nil) != tt.wantErr || err != nil && !strings.Contains(err.Error(), "raise LimitMEMLOCK") {
			t.Errorf("%s without %q: %v", tt.mode, tt.missing, err)
		}
		if !strings.Contains(log.String(), tt.says) || tt.says == "" && log.Len() > 0 {
			t.Errorf("%s without %q: the log does not say %s:\n%s", tt.mode, tt.missing, tt.says, log.String())
		}
	}
}

// TestWhyAndWhatToDo: why the packet buffers are not locked, and what to do, are two things.
func TestWhyAndWhatToDo(t *testing.T) {
	err := fmt.Errorf("outer: %w", &packetmem.Lack{Cause: errors.New("the kernel does not lock 5 KiB"), Mend: "raise the limit"})
	c := bufferControl(buffersLocked, err, "")
	if c.InForce || c.How != "the kernel does not lock 5 KiB" || c.Mend != "raise the limit" {
		t.Errorf("%+v", c)
	}
	if got, want := lacking([]lockdown.Control{c}).Error(), buffersLocked+" is not in force: the kernel does not lock 5 KiB; to mend it: raise the limit"; got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	if c := bufferControl(buffersWiped, errors.New("broken"), ""); c.InForce || c.How != "broken" || c.Mend == "" {
		t.Errorf("%+v", c)
	}
}
