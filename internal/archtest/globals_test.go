package archtest

import (
	"errors"
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"
)

// noGlobalState allows package-level variables that are as good as constants: errors, tables,
// compiled patterns, embedded files. It refuses one that
//
//   - any code of the package, tests too, assigns, changes, takes the address of, or calls a
//     pointer method on;
//   - another package assigns;
//   - cannot be a constant by its kind: declared without a value, a channel, a lock, an atomic, a
//     pointer to a struct that is no error.
func noGlobalState(t *tree) (looked int, broken []finding) {
	for _, p := range t.packages {
		for _, u := range unitsOf(t.fset, p) {
			looked++
			broken = append(broken, t.declaredMutable(u)...)
			broken = append(broken, t.changed(u)...)
		}
	}
	return looked, broken
}

// A unit is what the compiler takes as one package: the files of a folder that share a name.
type unit struct {
	files []*file
	info  *types.Info
	scope *types.Scope
}

// unitsOf resolves the names in a folder's files. Imports are not loaded, and files for different
// systems stand together; what is not resolved because of that is not ours.
func unitsOf(fset *token.FileSet, p *pkg) []unit {
	byName := make(map[string][]*file)
	for _, f := range p.files {
		byName[f.ast.Name.Name] = append(byName[f.ast.Name.Name], f)
	}
	var units []unit
	for name, files := range byName {
		u := unit{files: files, info: &types.Info{
			Uses:       make(map[*ast.Ident]types.Object),
			Selections: make(map[*ast.SelectorExpr]*types.Selection),
		}}
		var parsed []*ast.File
		for _, f := range files {
			parsed = append(parsed, f.ast)
		}
		config := types.Config{Importer: noImporter{}, Error: func(error) {}, FakeImportC: true}
		checked, _ := config.Check(name, fset, parsed, u.info)
		u.scope = checked.Scope()
		units = append(units, u)
	}
	return units
}

type noImporter struct{}

func (noImporter) Import(string) (*types.Package, error) { return nil, errors.New("not loaded") }

// declaredMutable finds variables that are mutable by what they are.
func (t *tree) declaredMutable(u unit) (found []finding) {
	for _, f := range u.files {
		if f.test {
			continue
		}
		for _, d := range f.ast.Decls {
			decl, ok := d.(*ast.GenDecl)
			if !ok || decl.Tok != token.VAR {
				continue
			}
			for _, s := range decl.Specs {
				spec := s.(*ast.ValueSpec)
				if why := mutableKind(decl, spec); why != "" && spec.Names[0].Name != "_" {
					found = append(found, finding{f.path + ":" + spec.Names[0].Name, "is a package-level variable " + why})
				}
			}
		}
	}
	return found
}

func mutableKind(decl *ast.GenDecl, spec *ast.ValueSpec) string {
	embedded := embeds(decl.Doc) || embeds(spec.Doc)
	if len(spec.Values) == 0 && !embedded {
		return "without a value, so something sets it later"
	}
	if lockLike(spec.Type) {
		return "of a type that exists to be changed"
	}
	for _, v := range spec.Values {
		switch v := v.(type) {
		case *ast.UnaryExpr:
			_, literal := v.X.(*ast.CompositeLit)
			isError := strings.HasPrefix(strings.ToLower(spec.Names[0].Name), "err")
			if literal && v.Op == token.AND && !isError {
				return "that points to a struct, which can be changed"
			}
		case *ast.CompositeLit:
			if lockLike(v.Type) {
				return "of a type that exists to be changed"
			}
		case *ast.CallExpr:
			if name, ok := v.Fun.(*ast.Ident); ok && (name.Name == "new" || name.Name == "make") {
				return "that is empty at first, so something fills it later"
			}
		}
	}
	return ""
}

func embeds(doc *ast.CommentGroup) bool {
	return doc != nil && slices.ContainsFunc(doc.List, func(c *ast.Comment) bool { return strings.HasPrefix(c.Text, "//go:embed ") })
}

// lockLike says whether a type is a channel, or comes from sync or sync/atomic.
func lockLike(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.ChanType:
		return true
	case *ast.IndexExpr:
		return lockLike(e.X)
	case *ast.SelectorExpr:
		x, ok := e.X.(*ast.Ident)
		return ok && (x.Name == "sync" || x.Name == "atomic")
	}
	return false
}

// changed finds code that changes a package-level variable.
func (t *tree) changed(u unit) (found []finding) {
	for _, f := range u.files {
		report := func(e ast.Expr, how string) {
			if name := u.global(e); name != "" {
				found = append(found, finding{f.path + ":" + name, fmt.Sprintf("line %d %s a package-level variable", t.fset.Position(e.Pos()).Line, how)})
			}
		}
		ast.Inspect(f.ast, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.AssignStmt:
				for _, e := range n.Lhs {
					report(e, "assigns")
				}
			case *ast.IncDecStmt:
				report(n.X, "changes")
			case *ast.RangeStmt:
				report(n.Key, "assigns")
				report(n.Value, "assigns")
			case *ast.UnaryExpr:
				if n.Op == token.AND {
					report(n.X, "takes the address of")
				}
			case *ast.CallExpr:
				u.changedByCall(n, report)
			}
			return true
		})
	}
	return found
}

// changedByCall knows delete(x, …), clear(x), and x.M() where M is a pointer method of ours.
func (u unit) changedByCall(call *ast.CallExpr, report func(ast.Expr, string)) {
	switch fun := call.Fun.(type) {
	case *ast.Ident:
		if (fun.Name == "delete" || fun.Name == "clear") && len(call.Args) > 0 {
			report(call.Args[0], "empties")
		}
	case *ast.SelectorExpr:
		selection := u.info.Selections[fun]
		if selection == nil || selection.Kind() != types.MethodVal {
			return
		}
		_, byPointer := selection.Obj().(*types.Func).Signature().Recv().Type().(*types.Pointer)
		_, isPointer := selection.Recv().(*types.Pointer) // then its declaration has been judged
		if byPointer && !isPointer {
			report(fun.X, "calls a pointer method of")
		}
	}
}

// global returns the name of the package-level variable that e is, or is a part of; empty if it is none.
func (u unit) global(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		if v, ok := u.info.Uses[e].(*types.Var); ok && v.Parent() == u.scope {
			return e.Name
		}
	case *ast.IndexExpr:
		return u.global(e.X)
	case *ast.StarExpr:
		return u.global(e.X)
	case *ast.ParenExpr:
		return u.global(e.X)
	case *ast.SelectorExpr:
		if x, ok := e.X.(*ast.Ident); ok {
			if _, ok := u.info.Uses[x].(*types.PkgName); ok {
				return x.Name + "." + e.Sel.Name // another package's variable, or it could not be assigned
			}
		}
		return u.global(e.X)
	}
	return ""
}
