package guard

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"strings"

	"golang.org/x/perf/benchfmt"
)

// functionsPrefix is what the names of values begin with that Go benchmarks give.
const functionsPrefix = "allocations: "

// IsFunction tells whether a value is one that [Functions] gives.
func IsFunction(name string) bool { return strings.HasPrefix(name, functionsPrefix) }

const module = "github.com/lethe-relay/lethe/"

// functions are Go benchmarks of a package.
type functions struct {
	pkg   string // below the module
	bench string // their names without "Benchmark", as a regexp
}

// hot are functions that run for every datagram or every open, and whose allocations
// are the same each time. Packages have other benchmarks, too: of sockets, and of
// seconds an operation.
func hot() []functions {
	return []functions{
		{"relay/forward", "TableGet|Route|Wipe"},
		{"internal/udpio", "Forward|Singles"},
		{"internal/wire", "ReadMessage|WriteMessage|VerifyLegMessage"},
		{"auth", "Verify"},
		{"auth/ecv", "CheckProof|Judge|ProveWiFi|GeoTagIDs"},
	}
}

// Functions runs the Go benchmarks of the hot functions so many times each, in the
// source tree at root, and returns the allocations of each per operation. What they
// print has to be as benchstat reads it.
func Functions(ctx context.Context, root string, times int) (Values, error) {
	values := make(Values)
	for _, f := range hot() {
		args := []string{
			"test", "-run=^$", "-bench=^Benchmark(" + f.bench + ")$", "-benchmem", fmt.Sprintf("-benchtime=%dx", times),
			"-timeout=1m", module + f.pkg,
		}
		cmd := exec.CommandContext(ctx, "go", args...)
		cmd.Dir = root
		out, err := cmd.CombinedOutput()
		if err != nil {
			return nil, fmt.Errorf("go %s: %w\n%s", strings.Join(args, " "), err, out)
		}
		if err := f.allocations(out, values); err != nil {
			return nil, err
		}
	}
	return values, nil
}

// allocations adds to values what the benchmarks have printed, of which there has
// to be each one that is named.
func (f functions) allocations(out []byte, values Values) error {
	missing := make(map[string]bool)
	for _, name := range strings.Split(f.bench, "|") {
		missing[name] = true
	}
	for lines := benchfmt.NewReader(bytes.NewReader(out), "go test"); lines.Scan(); {
		switch r := lines.Result().(type) {
		case *benchfmt.SyntaxError:
			return fmt.Errorf("benchstat could not read this: %w", r)
		case *benchfmt.Result:
			n, measured := r.Value("allocs/op")
			if !measured {
				return fmt.Errorf("%s: %s has no allocations", f.pkg, r.Name)
			}
			values[f.name(r.Name)] = n
			delete(missing, string(r.Name.Base()))
		}
	}
	for name := range missing {
		return fmt.Errorf("%s: there is no benchmark %s", f.pkg, name)
	}
	return nil
}

// name is that of a value. It leaves out how many processors there were.
func (f functions) name(full benchfmt.Name) string {
	base, parts := full.Parts()
	name := functionsPrefix + f.pkg + " " + string(base)
	for _, part := range parts {
		if part[0] != '-' {
			name += string(part)
		}
	}
	return name
}
