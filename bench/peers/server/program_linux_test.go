package server

import (
	"encoding/json"
	"errors"
	"slices"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/lethe-relay/lethe/bench/proc"
)

// TestProgram: a program runs where it should until its keeper ends, and no longer.
func TestProgram(t *testing.T) {
	cpus, err := proc.CPUs()
	if err != nil {
		t.Fatal(err)
	}
	last := cpus[len(cpus)-1:]
	p := newProgram()
	config, _ := json.Marshal(ProgramConfig{Path: "sleep", Args: []string{"3600"}, CPUs: last})
	answer, err := p.Handlers[Start](t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	pid := answer.(Running).PID
	var set unix.CPUSet
	if err := unix.SchedGetaffinity(pid, &set); err != nil || set.Count() != 1 || !set.IsSet(last[0]) {
		t.Errorf("processors %v, %v, want %v", set, err, last)
	}
	if _, err := p.Handlers[Start](t.Context(), config); err == nil {
		t.Error("a second program is started")
	}
	p.Close()
	if err := unix.Kill(pid, 0); !errors.Is(err, unix.ESRCH) {
		t.Errorf("the program outlives its keeper: %v", err)
	}
}

func TestNoProgram(t *testing.T) {
	p := newProgram()
	defer p.Close()
	config, _ := json.Marshal(ProgramConfig{Path: "no-such-program"})
	if _, err := p.Handlers[Start](t.Context(), config); err == nil {
		t.Error("what there is not is started")
	}
}

// TestLoopback: every program is told to listen on loopback, and to join nothing.
func TestLoopback(t *testing.T) {
	const listen = "127.0.0.1:4000"
	if c, err := Coturn(listen, "u", "p"); err == nil && (!after(c.Args, "--listening-ip", "127.0.0.1") || !after(c.Args, "--relay-ip", "127.0.0.1")) {
		t.Errorf("coturn: %q", c.Args)
	}
	if c, err := Strelaysrv(listen, "/"); err == nil && (!after(c.Args, "-listen", listen) || !after(c.Args, "-pools", "") || !after(c.Args, "-status-srv", "")) {
		t.Errorf("strelaysrv: %q", c.Args)
	}
	if c, err := Derper(listen, "/"); err == nil && (!after(c.Args, "-a", listen) || !slices.Contains(c.Args, "-stun=false")) {
		t.Errorf("derper: %q", c.Args)
	}
}

// after says whether the value comes right after the flag.
func after(args []string, flag, value string) bool {
	i := slices.Index(args, flag)
	return i >= 0 && i+1 < len(args) && args[i+1] == value
}
