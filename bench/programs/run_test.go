package programs

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lethe-relay/lethe/bench/suite"
)

func made(a *audit) func(context.Context, suite.Options) (*suite.Result, error) {
	return func(context.Context, suite.Options) (*suite.Result, error) { return a.result(), nil }
}

// written makes a program of its main function's body.
func written(t *testing.T, body string) program {
	t.Helper()
	dir := t.TempDir()
	source := "package main\n\nimport (\n\t\"fmt\"\n\t\"os\"\n)\n\nfunc main() {\n\tfile := os.Args[len(os.Args)-1]\n" + body + "\n}\n"
	for name, text := range map[string]string{"go.mod": "module example\n", "main.go": source} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return program{dir: dir, pkg: "."}
}

// TestProgram: its lines are told, and its result counts whatever its exit code is.
func TestProgram(t *testing.T) {
	p := written(t, `	fmt.Fprintln(os.Stderr, "looking at", os.Args[1])
	os.WriteFile(file, []byte("{\"verdict\": \"FAIL\"}"), 0o600)
	os.Exit(1)`)
	var told bytes.Buffer
	var a audit
	if err := p.run(t.Context(), suite.Options{Progress: suite.NewProgress(&told, 0)}, &a, "memory"); err != nil || a.Verdict != "FAIL" {
		t.Errorf("%v, verdict %q", err, a.Verdict)
	}
	if told.String() != "building\nlooking at memory\n" {
		t.Errorf("told %q", told.String())
	}
}

// TestNoModules: a machine that can't have another's module is no failure of ours.
func TestNoModules(t *testing.T) {
	t.Setenv("GOPROXY", "off")
	t.Setenv("GOFLAGS", "-mod=mod")
	p := written(t, "	os.Exit(0)")
	for name, text := range map[string]string{
		"go.mod":   "module example\n\nrequire example.invalid/relay v1.0.0\n",
		"other.go": "package main\n\nimport _ \"example.invalid/relay\"\n",
	} {
		if err := os.WriteFile(filepath.Join(p.dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var skip *suite.SkipError
	if err := p.run(t.Context(), suite.Options{}, nil); !errors.As(err, &skip) || !strings.Contains(err.Error(), "example.invalid/relay") {
		t.Errorf("got %v", err)
	}
}

// TestNoResult: the last line says why.
func TestNoResult(t *testing.T) {
	p := written(t, `	fmt.Fprintln(os.Stderr, "no", file == "")
	os.Exit(3)`)
	var a audit
	if err := p.run(t.Context(), suite.Options{}, &a); err == nil || !strings.Contains(err.Error(), "no false") {
		t.Errorf("got %v", err)
	}
	p.pkg = "./gone"
	if err := p.run(t.Context(), suite.Options{}, &a); err == nil || !strings.Contains(err.Error(), "build ./gone") {
		t.Errorf("got %v", err)
	}
}
