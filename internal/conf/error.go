package conf

import (
	"fmt"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// An Error is what is wrong with a configuration file, and where. It wraps the error that a
// value's own UnmarshalText or Validate returned.
type Error struct {
	File   string // as given to Parse
	Line   int    // from 1; 0 if the error is about the file as a whole
	Column int    // in characters, from 1
	Key    string // "services[1].target"; empty if no key is concerned
	Err    error

	excerpt string // the line and the carets below it, or empty
}

// Error returns one sentence on one line and, where there is a place, the line of the file with carets
// below the place.
func (e *Error) Error() string {
	var s strings.Builder
	s.WriteString(e.File)
	if e.Line > 0 {
		fmt.Fprintf(&s, ":%d:%d", e.Line, e.Column)
	}
	if e.Key != "" {
		s.WriteString(": " + e.Key)
	}
	s.WriteString(": " + e.Err.Error())
	if e.excerpt != "" {
		s.WriteString("\n" + e.excerpt)
	}
	return s.String()
}

func (e *Error) Unwrap() error { return e.Err }

// A place is a word of the file.
type place struct {
	token  *token.Token
	secret bool // the word must not be shown
}

// fail makes an error at a place, or about the whole file if at is nil.
func (b *binder) fail(at *place, err error) *Error {
	e := &Error{File: b.file, Err: err}
	if at == nil || at.token == nil || at.token.Position == nil {
		return e
	}
	pos := at.token.Position
	e.Line, e.Column = pos.Line, max(pos.Column, 1)
	if pos.Line >= 1 && pos.Line <= len(b.lines) {
		e.excerpt = b.excerpt(at, e.Line, e.Column)
	}
	return e
}

// failKey makes an error at the key of it.
func (b *binder) failKey(it item, err error) error {
	e := b.fail(&place{token: it.key, secret: it.keySecret}, err)
	e.Key = it.path
	return e
}

// failItem makes an error at the value of it.
func (b *binder) failItem(it item, err error) error {
	e := b.fail(&place{token: firstToken(it.node), secret: it.secret}, err)
	e.Key = it.path
	return e
}

// firstToken returns the token that n starts with. The parser calls the first colon the token of a mapping.
func firstToken(n ast.Node) *token.Token {
	if n == nil {
		return nil
	}
	if m, ok := n.(*ast.MappingNode); ok && !m.IsFlowStyle && len(m.Values) > 0 {
		return m.Values[0].Key.GetToken()
	}
	return n.GetToken()
}
