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

// hot are the packages whose functions run for every datagram or every open.
func hot() []string {
	const module = "github.com/lethe-relay/lethe/"
	return []string{module + "relay/forward", module + "internal/udpio", module + "internal/wire", module + "auth", module + "auth/ecv"}
}

// Functions runs the Go benchmarks of the hot functions for a moment, and returns
// the allocations of each per operation. What they print has to be as benchstat
// reads it, and each package has to have benchmarks.
func Functions(ctx context.Context) (Values, error) {
	args := append([]string{"test", "-run=^$", "-bench=.", "-benchmem", "-benchtime=100x"}, hot()...)
	out, err := exec.CommandContext(ctx, "go", args...).CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("go %s: %w\n%s", strings.Join(args, " "), err, out)
	}
	return allocations(out, hot())
}

func allocations(out []byte, packages []string) (Values, error) {
	values, of := make(Values), make(map[string]int)
	for lines := benchfmt.NewReader(bytes.NewReader(out), "go test"); lines.Scan(); {
		switch r := lines.Result().(type) {
		case *benchfmt.SyntaxError:
			return nil, fmt.Errorf("benchstat could not read this: %w", r)
		case *benchfmt.Result:
			pkg := r.GetConfig("pkg")
			n, measured := r.Value("allocs/op")
			if !measured {
				return nil, fmt.Errorf("%s: %s has no allocations", pkg, r.Name)
			}
			values[functionName(pkg, r.Name)] = n
			of[pkg]++
		}
	}
	for _, pkg := range packages {
		if of[pkg] == 0 {
			return nil, fmt.Errorf("%s has no benchmarks", pkg)
		}
	}
	return values, nil
}

// functionName leaves out how many processors there were.
func functionName(pkg string, full benchfmt.Name) string {
	base, parts := full.Parts()
	name := functionsPrefix + strings.TrimPrefix(pkg, "github.com/lethe-relay/lethe/") + " " + string(base)
	for _, part := range parts {
		if part[0] != '-' {
			name += string(part)
		}
	}
	return name
}
