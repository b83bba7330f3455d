package archtest

import (
	"bytes"
	"cmp"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
)

// A tree is a source tree: this repository, or a small sample of one.
type tree struct {
	module   string
	fsys     fs.FS
	files    []string // tracked, sorted, with slashes
	fset     *token.FileSet
	packages []*pkg
}

// A pkg is a folder with Go files.
type pkg struct {
	path  string // "relay/forward"; "." at the root
	files []*file
}

// A file is a Go file, for whatever operating system.
type file struct {
	path  string
	test  bool // *_test.go
	ast   *ast.File
	lines int
}

// sources yields the package's files that are not tests.
func (p *pkg) sources(yield func(*file) bool) {
	for _, f := range p.files {
		if !f.test && !yield(f) {
			return
		}
	}
}

// imports returns the paths that f imports. Those of our own start with "./".
func (t *tree) imports(f *file) []string {
	var paths []string
	for _, spec := range f.ast.Imports {
		p, _ := strconv.Unquote(spec.Path.Value)
		switch {
		case p == t.module:
			p = "."
		case strings.HasPrefix(p, t.module+"/"):
			p = "." + strings.TrimPrefix(p, t.module)
		}
		paths = append(paths, p)
	}
	return paths
}

// read returns a tracked file's content.
func (t *tree) read(name string) ([]byte, error) { return fs.ReadFile(t.fsys, name) }

// repository loads the tree that this test stands in.
func repository(t *testing.T) *tree {
	t.Helper()
	const root = "../.."
	fsys := os.DirFS(root)
	var names []string
	if _, err := fs.Stat(fsys, ".git"); err == nil {
		list := exec.Command("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
		list.Dir = root
		out, err := list.Output()
		if err != nil {
			t.Fatalf("git ls-files: %v", err)
		}
		names = strings.Split(strings.TrimRight(string(out), "\x00"), "\x00")
	} else { // an unpacked archive: whatever is there
		names = walk(t, fsys)
	}
	return load(t, fsys, names)
}

// sample loads a tree from an archive in testdata, and returns what stands before its first file.
func sample(t *testing.T, archive string) (*tree, string) {
	t.Helper()
	data, err := os.ReadFile(archive)
	if err != nil {
		t.Fatal(err)
	}
	head, files := unpack(data)
	return load(t, files, walk(t, files)), head
}

// unpack reads a txtar archive: lines "-- name --", each before a file's content.
func unpack(data []byte) (head string, files fstest.MapFS) {
	files = fstest.MapFS{}
	current := &fstest.MapFile{}
	first := current
	for line := range bytes.Lines(data) {
		if name, ok := bytes.CutPrefix(bytes.TrimSpace(line), []byte("-- ")); ok && bytes.HasSuffix(name, []byte(" --")) {
			current = &fstest.MapFile{}
			files[string(bytes.TrimSuffix(name, []byte(" --")))] = current
			continue
		}
		current.Data = append(current.Data, line...)
	}
	return string(first.Data), files
}

func walk(t *testing.T, fsys fs.FS) []string {
	t.Helper()
	var names []string
	err := fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			names = append(names, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// load reads the Go files among names, except those that the go command overlooks too.
func load(t *testing.T, fsys fs.FS, names []string) *tree {
	t.Helper()
	tr := &tree{fsys: fsys, fset: token.NewFileSet()}
	found := make(map[string]*pkg)
	for _, name := range slices.Sorted(slices.Values(names)) {
		data, err := fs.ReadFile(fsys, name)
		if errors.Is(err, fs.ErrNotExist) { // tracked, and deleted since
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		tr.files = append(tr.files, name)
		if name == "go.mod" {
			tr.module = moduleName(data)
		}
		if path.Ext(name) != ".go" || overlooked(name) {
			continue
		}
		parsed, err := parser.ParseFile(tr.fset, name, data, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		dir := path.Dir(name)
		if found[dir] == nil {
			found[dir] = &pkg{path: dir}
		}
		found[dir].files = append(found[dir].files, &file{
			path: name, test: strings.HasSuffix(name, "_test.go"), ast: parsed, lines: bytes.Count(data, []byte("\n")),
		})
	}
	if tr.module == "" {
		t.Fatal("the tree has no go.mod that names a module")
	}
	tr.packages = slices.SortedFunc(maps.Values(found), func(a, b *pkg) int { return cmp.Compare(a.path, b.path) })
	return tr
}

func moduleName(gomod []byte) string {
	for line := range bytes.Lines(gomod) {
		if name, ok := bytes.CutPrefix(line, []byte("module ")); ok {
			return string(bytes.TrimSpace(name))
		}
	}
	return ""
}

// overlooked says whether a path is in a folder, or is a file, that the go command does not look at.
func overlooked(name string) bool {
	for element := range strings.SplitSeq(name, "/") {
		if element == "testdata" || element == "vendor" || strings.HasPrefix(element, ".") || strings.HasPrefix(element, "_") {
			return true
		}
	}
	return false
}
