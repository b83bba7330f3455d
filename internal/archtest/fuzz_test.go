package archtest

import (
	"go/ast"
	"path"
	"slices"
	"strings"
)

// fuzzSeeds wants one of three for each fuzz target: a committed corpus in
// testdata/fuzz/NAME; an f.Add that is no part of a loop; or seeds that come from data files (an f.Add
// in a loop, or a helper that is given f) with data files in testdata.
func fuzzSeeds(t *tree) (looked int, broken []finding) {
	for _, p := range t.packages {
		for _, f := range p.files {
			if !f.test {
				continue
			}
			for fn := range functions(f) {
				if !isFuzz(fn) {
					continue
				}
				looked++
				if !t.hasSeeds(p, fn) {
					broken = append(broken, finding{f.path + ":" + fn.Name.Name, "is a fuzz target without a committed seed"})
				}
			}
		}
	}
	return looked, broken
}

func isFuzz(fn *ast.FuncDecl) bool {
	return strings.HasPrefix(fn.Name.Name, "Fuzz") && fn.Recv == nil && len(fn.Type.Params.List) == 1 && len(fn.Type.Params.List[0].Names) == 1
}

func (t *tree) hasSeeds(p *pkg, fn *ast.FuncDecl) bool {
	testdata := path.Join(p.path, "testdata") + "/"
	corpus := testdata + "fuzz/" + fn.Name.Name + "/"
	if slices.ContainsFunc(t.files, func(name string) bool { return strings.HasPrefix(name, corpus) }) {
		return true
	}
	literal, fromData := adds(fn)
	return literal || fromData && slices.ContainsFunc(t.files, func(name string) bool {
		return strings.HasPrefix(name, testdata) && !strings.HasPrefix(name, testdata+"fuzz/")
	})
}

// adds says whether fn adds a seed outright, and whether it may add some from data.
func adds(fn *ast.FuncDecl) (literal, fromData bool) {
	f := fn.Type.Params.List[0].Names[0].Name
	isF := func(e ast.Expr) bool { return isIdent(e, f) }
	loops := 0
	var visit func(n ast.Node) bool
	visit = func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.ForStmt:
			loops++
			ast.Inspect(n.Body, visit)
			loops--
			return false
		case *ast.RangeStmt:
			loops++
			ast.Inspect(n.Body, visit)
			loops--
			return false
		case *ast.CallExpr:
			sel, ok := n.Fun.(*ast.SelectorExpr)
			if add := ok && isF(sel.X) && sel.Sel.Name == "Add"; add && loops == 0 {
				literal = true
			} else if add || slices.ContainsFunc(n.Args, isF) {
				fromData = true
			}
		}
		return true
	}
	ast.Inspect(fn.Body, visit)
	return literal, fromData
}
