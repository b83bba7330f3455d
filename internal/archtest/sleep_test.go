package archtest

import (
	"fmt"
	"go/ast"
	"go/token"
	"slices"
)

// noSleepInTests allows time.Sleep where time is simulated: in a function that is handed to
// synctest.Test, and in a function that is named nowhere but there.
func noSleepInTests(t *tree) (looked int, broken []finding) {
	for _, p := range t.packages {
		var bubbles []ast.Node
		for _, f := range p.files {
			if !f.test {
				continue
			}
			looked++
			if bubbles == nil {
				bubbles = bubblesOf(p)
			}
			for _, pos := range uses(f, "time", "Sleep") {
				if !within(bubbles, pos) {
					broken = append(broken, finding{f.path, fmt.Sprintf("line %d uses time.Sleep", t.fset.Position(pos).Line)})
				}
			}
		}
	}
	return looked, broken
}

// bubblesOf returns the parts of the package's tests in which time is simulated.
func bubblesOf(p *pkg) []ast.Node {
	bubbles := []ast.Node{}
	mentions := make(map[string][]token.Pos)
	for _, f := range p.files {
		ast.Inspect(f.ast, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.Ident:
				mentions[n.Name] = append(mentions[n.Name], n.Pos())
			case *ast.CallExpr:
				if sel, ok := n.Fun.(*ast.SelectorExpr); ok && sel.Sel.Name == "Test" && isIdent(sel.X, "synctest") && len(n.Args) == 2 {
					bubbles = append(bubbles, n.Args[1])
				}
			}
			return true
		})
	}
	for { // a bubble more can make another function one
		before := len(bubbles)
		for _, f := range p.files {
			for fn := range functions(f) {
				if f.test && !within(bubbles, fn.Pos()) && onlyWithin(bubbles, mentions[fn.Name.Name], fn.Name.Pos()) {
					bubbles = append(bubbles, fn)
				}
			}
		}
		if len(bubbles) == before {
			return bubbles
		}
	}
}

// onlyWithin says whether a function is mentioned in bubbles and, its own declaration aside, nowhere else.
func onlyWithin(bubbles []ast.Node, mentions []token.Pos, declared token.Pos) bool {
	others := slices.DeleteFunc(slices.Clone(mentions), func(p token.Pos) bool { return p == declared })
	return len(others) > 0 && !slices.ContainsFunc(others, func(p token.Pos) bool { return !within(bubbles, p) })
}

func within(nodes []ast.Node, pos token.Pos) bool {
	return slices.ContainsFunc(nodes, func(n ast.Node) bool { return n.Pos() <= pos && pos < n.End() })
}

func isIdent(e ast.Expr, name string) bool {
	id, ok := e.(*ast.Ident)
	return ok && id.Name == name
}
