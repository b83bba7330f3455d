package archtest

import (
	"fmt"
	"go/ast"
	"go/token"
	"path"
	"slices"
	"strings"
)

const (
	maxFileLines = 400
	maxFuncLines = 80
)

func sourceRules() []rule {
	return []rule{
		{"cmd_is_main", "main is flags, configuration and Run: what others could import belongs elsewhere", cmdIsMain},
		{"package_doc", "the package doc is the specification, and is where a reader looks first", packageDoc},
		{"package_names", "such a package has no subject, so it attracts whatever has no place", packageNames},
		{"file_size", "a file is of a size that a mind can hold", fileSize},
		{"func_size", "a function is of a size that a mind can hold", funcSize},
		{"no_init", "one can see who calls whom; init is called by an import", noInit},
		{"no_clock_in_auth", "a decision takes the time as an argument, so that it can be tested and replayed exactly", noClockInAuth},
		{"no_sleep_in_tests", "a test that sleeps is slow when it passes and flaky when it fails; wait for the event, or sleep in a bubble of testing/synctest", noSleepInTests},
		{"no_global_state", "two relays in one process must not know of each other, and a test must not see what another one left", noGlobalState},
		{"fuzz_seeds", "a fuzz target without seeds tests nothing on a normal run", fuzzSeeds},
	}
}

func cmdIsMain(t *tree) (looked int, broken []finding) {
	for _, p := range t.packages {
		if !match("cmd/...", p.path) {
			continue
		}
		looked++
		for f := range p.sources {
			if name := f.ast.Name.Name; name != "main" {
				broken = append(broken, finding{f.path, "package " + name + " below cmd"})
			}
		}
	}
	return looked, broken
}

func packageDoc(t *tree) (looked int, broken []finding) {
	for _, p := range t.packages {
		looked++
		var documented []string
		main := false
		for f := range p.sources {
			main = f.ast.Name.Name == "main"
			if f.ast.Doc != nil {
				documented = append(documented, path.Base(f.path))
			}
		}
		switch want := "doc.go"; {
		case len(documented) != 1:
			broken = append(broken, finding{p.path, fmt.Sprintf("has %d files with a package doc %v, not one", len(documented), documented)})
		case documented[0] != want && !(main && documented[0] == "main.go"):
			broken = append(broken, finding{p.path, "has its package doc in " + documented[0] + ", not in " + want})
		}
	}
	return looked, broken
}

func packageNames(t *tree) (looked int, broken []finding) {
	refused := []string{"util", "utils", "common", "helper", "helpers", "misc", "shared"}
	for _, p := range t.packages {
		looked++
		names := strings.Split(p.path, "/")
		for _, f := range p.files {
			names = append(names, strings.TrimSuffix(f.ast.Name.Name, "_test"))
		}
		for _, name := range names {
			if slices.Contains(refused, name) {
				broken = append(broken, finding{p.path, "is called " + name})
				break
			}
		}
	}
	return looked, broken
}

func fileSize(t *tree) (looked int, broken []finding) {
	for _, p := range t.packages {
		for f := range p.sources {
			looked++
			if f.lines > maxFileLines {
				broken = append(broken, finding{f.path, fmt.Sprintf("has %d lines, more than %d", f.lines, maxFileLines)})
			}
		}
	}
	return looked, broken
}

func funcSize(t *tree) (looked int, broken []finding) {
	for _, p := range t.packages {
		for f := range p.sources {
			for fn := range functions(f) {
				looked++
				lines := t.fset.Position(fn.End()).Line - t.fset.Position(fn.Pos()).Line + 1
				if lines > maxFuncLines {
					broken = append(broken, finding{f.path + ":" + fn.Name.Name, fmt.Sprintf("has %d lines, more than %d", lines, maxFuncLines)})
				}
			}
		}
	}
	return looked, broken
}

func noInit(t *tree) (looked int, broken []finding) {
	for _, p := range t.packages {
		for _, f := range p.files {
			for fn := range functions(f) {
				looked++
				if fn.Name.Name == "init" && fn.Recv == nil {
					broken = append(broken, finding{f.path, "has a func init"})
				}
			}
		}
	}
	return looked, broken
}

func noClockInAuth(t *tree) (looked int, broken []finding) {
	for _, p := range t.packages {
		if !match("auth/...", p.path) {
			continue
		}
		for f := range p.sources {
			looked++
			for _, name := range []string{"Now", "Since", "Until", "After", "AfterFunc", "NewTimer", "NewTicker", "Tick", "Sleep"} {
				for _, pos := range uses(f, "time", name) {
					broken = append(broken, finding{f.path, fmt.Sprintf("line %d uses time.%s", t.fset.Position(pos).Line, name)})
				}
			}
		}
	}
	return looked, broken
}

// uses returns where f mentions a name of another package, called or not.
func uses(f *file, imported, name string) (found []token.Pos) {
	local := path.Base(imported)
	for _, spec := range f.ast.Imports {
		if spec.Path.Value == `"`+imported+`"` && spec.Name != nil {
			local = spec.Name.Name
		}
	}
	ast.Inspect(f.ast, func(n ast.Node) bool {
		if sel, ok := n.(*ast.SelectorExpr); ok && sel.Sel.Name == name {
			if x, ok := sel.X.(*ast.Ident); ok && x.Name == local {
				found = append(found, n.Pos())
			}
		}
		return true
	})
	return found
}

// functions yields the functions and methods that f declares.
func functions(f *file) func(yield func(*ast.FuncDecl) bool) {
	return func(yield func(*ast.FuncDecl) bool) {
		for _, d := range f.ast.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && !yield(fn) {
				return
			}
		}
	}
}
