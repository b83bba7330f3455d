package conf

import (
	"encoding"
	"fmt"
	"math"
	"reflect"

	"github.com/goccy/go-yaml/ast"
)

// storeText hands a single value, as it is written, to a type that parses itself.
func (b *binder) storeText(it item, dst encoding.TextUnmarshaler) error {
	text, ok := scalarText(it.node)
	if !ok {
		return b.mismatch(it, "a single value")
	}
	if err := dst.UnmarshalText([]byte(text)); err != nil {
		return b.failItem(it, err)
	}
	return nil
}

func (b *binder) storeScalar(it item, dst reflect.Value) error {
	switch {
	case dst.Kind() == reflect.String:
		return b.storeString(it, dst)
	case dst.Kind() == reflect.Bool:
		n, ok := it.node.(*ast.BoolNode)
		if !ok {
			return b.mismatch(it, "true or false")
		}
		dst.SetBool(n.Value)
		return nil
	case dst.CanInt():
		return b.storeInt(it, dst)
	case dst.CanUint():
		return b.storeUint(it, dst)
	}
	return b.failItem(it, fmt.Errorf("a fault of this program: it can't read a %s from a configuration file", dst.Type()))
}

func (b *binder) storeString(it item, dst reflect.Value) error {
	switch n := it.node.(type) {
	case *ast.StringNode:
		dst.SetString(n.Value)
	case *ast.LiteralNode:
		dst.SetString(n.Value.Value)
	case ast.ScalarNode:
		return b.failItem(it, fmt.Errorf("expected text, found %s; put it in quotes", kindOf(n)))
	default:
		return b.mismatch(it, "text")
	}
	return nil
}

func (b *binder) storeInt(it item, dst reflect.Value) error {
	n, _ := it.node.(*ast.IntegerNode)
	if n != nil {
		if v, ok := n.Value.(int64); ok && !dst.OverflowInt(v) {
			dst.SetInt(v)
			return nil
		}
		if v, ok := n.Value.(uint64); ok && v <= math.MaxInt64 && !dst.OverflowInt(int64(v)) {
			dst.SetInt(int64(v))
			return nil
		}
	}
	high := int64(math.MaxInt64) >> (64 - dst.Type().Bits())
	return b.failItem(it, fmt.Errorf("expected a whole number from %d to %d", -high-1, high))
}

func (b *binder) storeUint(it item, dst reflect.Value) error {
	n, _ := it.node.(*ast.IntegerNode)
	if n != nil {
		if v, ok := n.Value.(uint64); ok && !dst.OverflowUint(v) {
			dst.SetUint(v)
			return nil
		}
	}
	high := uint64(math.MaxUint64) >> (64 - dst.Type().Bits())
	return b.failItem(it, fmt.Errorf("expected a whole number from 0 to %d", high))
}

// mismatch is the error for a value of the wrong shape. It may be a secret in the wrong place:
// "token:abc", where the blank is missing, is text instead of a key with a value.
func (b *binder) mismatch(it item, want string) error {
	it.secret = it.secret || b.discreet
	return b.failItem(it, fmt.Errorf("expected %s, found %s", want, kindOf(it.node)))
}

// scalarText returns a single value as the file writes it, without quotes.
func scalarText(n ast.Node) (string, bool) {
	switch n := n.(type) {
	case *ast.StringNode:
		return n.Value, true
	case *ast.LiteralNode:
		return n.Value.Value, true
	case ast.ScalarNode:
		return n.GetToken().Value, true
	}
	return "", false
}

// kindOf names what a value is, for people who do not read YAML's specification.
func kindOf(n ast.Node) string {
	switch n.(type) {
	case *ast.StringNode, *ast.LiteralNode:
		return "text"
	case *ast.BoolNode:
		return "true or false"
	case *ast.IntegerNode, *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		return "a number"
	case *ast.SequenceNode:
		return "a list"
	case ast.MapNode:
		return "keys with values"
	}
	return "something else"
}
