package conf

import (
	"encoding"
	"errors"
	"fmt"
	"reflect"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// A binder carries one file's values into one struct.
type binder struct {
	file     string
	lines    [][]byte
	discreet bool              // the struct has a secret somewhere: show no more of a line than must be
	secrets  map[ast.Node]bool // values of secret fields, noted as they are met
}

// An item is one value of the file.
type item struct {
	node   ast.Node     // nil: the file is empty
	path   string       // "services[1].target"; empty for the whole file
	key    *token.Token // the key before the value; nil for list entries and the whole file
	secret bool

	keySecret bool // the key itself may be a secret
}

// bind stores it in dst, which is addressable.
func (b *binder) bind(it item, dst reflect.Value) error {
	if it.secret {
		b.secrets[it.node] = true
	}
	if err := b.admit(it); err != nil {
		return err
	}
	if err := b.store(it, dst); err != nil {
		return err
	}
	return b.validate(it, dst)
}

// admit refuses what no file may hold, whatever it is bound to.
func (b *binder) admit(it item) error {
	switch it.node.(type) {
	case *ast.NullNode:
		if it.key != nil {
			return b.failKey(it, errors.New("the key has no value; write one, or remove the key to get the default"))
		}
		return b.failItem(it, errors.New("expected a value, found nothing"))
	case *ast.AnchorNode, *ast.AliasNode:
		return b.failItem(it, errors.New("anchors (&) and aliases (*) are not allowed; write the value out, in quotes if it starts with & or *"))
	case *ast.TagNode:
		return b.failItem(it, errors.New("tags (!) are not allowed; write the value alone, in quotes if a ! begins it"))
	}
	return nil
}

func (b *binder) store(it item, dst reflect.Value) error {
	if text, ok := dst.Addr().Interface().(encoding.TextUnmarshaler); ok {
		return b.storeText(it, text)
	}
	switch dst.Kind() {
	case reflect.Struct:
		return b.storeStruct(it, dst)
	case reflect.Slice:
		return b.storeSlice(it, dst)
	default:
		return b.storeScalar(it, dst)
	}
}

func (b *binder) storeStruct(it item, dst reflect.Value) error {
	entries, ok := it.node.(ast.MapNode)
	if !ok {
		return b.mismatch(it, "keys with values")
	}
	known := fieldsOf(dst.Type())
	seen := make(map[string]int, len(known))
	for e := entries.MapRange(); e.Next(); {
		name, key := keyName(e.Key()), e.Key().GetToken()
		f, ok := known[name]
		if !ok {
			return b.failUnknown(it, key, name, known)
		}
		child := item{node: e.Value(), path: join(it.path, name), key: key, secret: it.secret || f.secret}
		if line, again := seen[name]; again {
			return b.failKey(child, fmt.Errorf("the key stands here a second time, after line %d; remove one of the two", line))
		}
		seen[name] = key.Position.Line
		if err := b.bind(child, dst.Field(f.index)); err != nil {
			return err
		}
	}
	return nil
}

// failUnknown reports a key that it does not know. A key that does not look like one may be a
// value on the wrong side of a colon.
func (b *binder) failUnknown(it item, key *token.Token, name string, known map[string]field) error {
	child := item{path: join(it.path, name), key: key}
	if !plainKey.MatchString(name) {
		child.path = it.path
		child.keySecret = b.discreet
	}
	return b.failKey(child, unknownKey(name, known))
}

// storeSlice replaces a default list by the file's; it does not append to it.
func (b *binder) storeSlice(it item, dst reflect.Value) error {
	list, ok := it.node.(*ast.SequenceNode)
	if !ok {
		return b.mismatch(it, "a list")
	}
	out := reflect.MakeSlice(dst.Type(), len(list.Values), len(list.Values))
	for i, n := range list.Values {
		child := item{node: n, path: fmt.Sprintf("%s[%d]", it.path, i), secret: it.secret}
		if err := b.bind(child, out.Index(i)); err != nil {
			return err
		}
	}
	dst.Set(out)
	return nil
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}
