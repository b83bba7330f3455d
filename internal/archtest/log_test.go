package archtest

import (
	"fmt"
	"go/ast"
	"go/build/constraint"
	"go/token"
	"slices"
	"strings"
)

func retentionRules() []rule {
	return []rule{
		{"relay_log", "what the relay says goes through package telemetry, which takes events and numbers: payload, identities and addresses can't be said", relayLog},
		{"leak_only_tagged", "what leaks on purpose must not be in a program that was built without saying so", leakOnlyTagged},
	}
}

// relayLog finds whatever in the relay could print: loggers, the standard streams, and panics whose
// value is made while it runs.
func relayLog(t *tree) (looked int, broken []finding) {
	for _, p := range t.packages {
		if !match("relay/...", p.path) {
			continue
		}
		for f := range p.sources {
			looked++
			for _, what := range t.voices(f) {
				broken = append(broken, finding{f.path, what})
			}
		}
	}
	return looked, broken
}

func (t *tree) voices(f *file) (found []string) {
	for _, imported := range t.imports(f) {
		if slices.Contains([]string{"log", "log/slog", "log/syslog"}, imported) {
			found = append(found, "imports "+imported)
		}
	}
	for pkg, names := range map[string][]string{"fmt": {"Print", "Printf", "Println"}, "os": {"Stdout", "Stderr"}} {
		for _, name := range names {
			for _, pos := range uses(f, pkg, name) {
				found = append(found, fmt.Sprintf("line %d uses %s.%s", t.fset.Position(pos).Line, pkg, name))
			}
		}
	}
	ast.Inspect(f.ast, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		switch fn, _ := call.Fun.(*ast.Ident); {
		case fn == nil:
		case fn.Name == "print" || fn.Name == "println":
			found = append(found, fmt.Sprintf("line %d calls %s", t.fset.Position(n.Pos()).Line, fn.Name))
		case fn.Name == "panic" && !isText(call.Args):
			found = append(found, fmt.Sprintf("line %d panics with more than a text", t.fset.Position(n.Pos()).Line))
		}
		return true
	})
	return found
}

// isText says whether arguments are one text that is written out.
func isText(args []ast.Expr) bool {
	if len(args) != 1 {
		return false
	}
	literal, ok := args[0].(*ast.BasicLit)
	return ok && literal.Kind == token.STRING
}

const (
	leakPackage = "./internal/leak"
	leakTag     = "lethe_leak"
)

// leakOnlyTagged finds files that import the leaks and are not built with their tag alone.
func leakOnlyTagged(t *tree) (looked int, broken []finding) {
	for _, p := range t.packages {
		for _, f := range p.files {
			if !slices.Contains(t.imports(f), leakPackage) {
				continue
			}
			looked++
			if !needsTag(f, leakTag) {
				broken = append(broken, finding{f.path, "imports " + leakPackage + " without the build tag " + leakTag})
			}
		}
	}
	return looked, broken
}

// needsTag says whether f is built only if tag is given, whatever the other tags.
func needsTag(f *file, tag string) bool {
	for _, group := range f.ast.Comments {
		if group.Pos() > f.ast.Package {
			break
		}
		for _, c := range group.List {
			if !strings.HasPrefix(c.Text, "//go:build ") {
				continue
			}
			expr, err := constraint.Parse(c.Text)
			return err == nil && !expr.Eval(func(other string) bool { return other != tag })
		}
	}
	return false
}
