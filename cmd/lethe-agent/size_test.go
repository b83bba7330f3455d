package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// What the agent may take of a small router's flash, in bytes, stripped and not
// compressed: what it took when this was written, and 3 %. A library that costs
// more has to be worth it; then the budget is raised here, with the reason in
// the commit. What is in the program, by package:
//
//	go tool nm -size -sort size lethe-agent    (built without -s -w)
var sizeBudgets = []struct {
	arch   string
	env    []string
	budget int64
}{
	{"mipsle", []string{"GOARCH=mipsle", "GOMIPS=softfloat"}, 11_280_000},
	{"mips", []string{"GOARCH=mips", "GOMIPS=softfloat"}, 11_280_000},
	{"arm", []string{"GOARCH=arm", "GOARM=7"}, 9_930_000},
}

// TestSize: the agent fits into the flash of the routers that it is made for.
func TestSize(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the agent for other processors")
	}
	for _, c := range sizeBudgets {
		t.Run(c.arch, func(t *testing.T) {
			program := filepath.Join(t.TempDir(), "lethe-agent")
			cmd := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", program, ".")
			cmd.Env = append(append(os.Environ(), "GOOS=linux", "CGO_ENABLED=0"), c.env...)
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			info, err := os.Stat(program)
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%d bytes", info.Size())
			if info.Size() > c.budget {
				t.Errorf("%d bytes; the budget is %d", info.Size(), c.budget)
			}
		})
	}
}
