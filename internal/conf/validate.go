package conf

import (
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// A keyError is what KeyErrorf makes.
type keyError struct {
	key string
	err error
}

// KeyErrorf makes an error for Validate to return, about the key of the value that is validated:
// "listen", "limits.idle", "services[1].target". [Parse] puts the place in the file before it. A key
// that the file does not have is allowed: it may be the thing to complain about.
func KeyErrorf(key, format string, args ...any) error {
	return &keyError{key: key, err: fmt.Errorf(format, args...)}
}

// Error is the error without its place, for a struct that was not read from a file.
func (e *keyError) Error() string { return e.key + ": " + e.err.Error() }

func (e *keyError) Unwrap() error { return e.err }

// validate asks dst, now complete, what it thinks of itself.
func (b *binder) validate(it item, dst reflect.Value) error {
	v, ok := dst.Addr().Interface().(interface{ Validate() error })
	if !ok {
		return nil
	}
	err := v.Validate()
	var at *keyError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &at):
		return b.failItem(b.find(it, at.key), at.err)
	case it.path == "":
		return b.fail(nil, err)
	}
	return b.failItem(it, err)
}

// find returns the value under key, seen from it. Where the file ends before the key does, it
// is the nearest value above; for the whole file, which has no place of its own, a value of no place.
func (b *binder) find(it item, key string) item {
	found := item{path: join(it.path, key)}
	if it.path != "" {
		found.node = it.node
	}
	node := it.node
	for step := range strings.FieldsFuncSeq(key, func(r rune) bool { return r == '.' || r == '[' || r == ']' }) {
		if node = child(node, step); node == nil {
			return found
		}
		found.node, found.secret = node, found.secret || b.secrets[node]
	}
	return found
}

// child returns the value of a key, or the entry of a list; nil if there is none.
func child(n ast.Node, step string) ast.Node {
	switch n := n.(type) {
	case *ast.SequenceNode:
		if i, err := strconv.Atoi(step); err == nil && i >= 0 && i < len(n.Values) {
			return n.Values[i]
		}
	case ast.MapNode:
		for e := n.MapRange(); e.Next(); {
			if keyName(e.Key()) == step {
				return e.Value()
			}
		}
	}
	return nil
}
