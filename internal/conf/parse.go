package conf

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// MaxSize is the size in bytes of the largest file that Parse takes. The largest sensible file is
// a tenth of it, and the YAML parser needs seconds for a hostile one that is much larger.
const MaxSize = 32 << 10

// Parse reads data, the content of a configuration file, into *into, which holds the defaults.
//
// Data that is wrong gives an *[Error], which calls the file name. After an error *into is part
// defaults, part file: do not use it.
func Parse[T any](name string, data []byte, into *T) error {
	dst := reflect.ValueOf(into).Elem()
	data = bytes.TrimPrefix(data, []byte("\ufeff")) // a byte order mark, which editors on Windows write
	b := &binder{
		file:     name,
		lines:    bytes.Split(data, []byte("\n")),
		discreet: hasSecret(dst.Type()),
		secrets:  make(map[ast.Node]bool),
	}
	root, err := b.parse(data)
	if err != nil {
		return err
	}
	if root == nil { // an empty file: nothing but defaults
		return b.validate(item{}, dst)
	}
	return b.bind(item{node: root}, dst)
}

// parse returns the file's only document, or nil if the file holds nothing but comments.
func (b *binder) parse(data []byte) (ast.Node, error) {
	if len(data) > MaxSize {
		return nil, b.fail(nil, fmt.Errorf("the file is larger than %d bytes; is it a configuration file?", MaxSize))
	}
	if !utf8.Valid(data) {
		return nil, b.fail(nil, errors.New("the file is not UTF-8 text; save it as UTF-8"))
	}
	// The parser would report a duplicate key without saying where the first one stands: bind does.
	file, err := parser.ParseBytes(data, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		return nil, b.syntax(err)
	}
	var root ast.Node
	for _, doc := range file.Docs {
		switch {
		case doc.Body == nil || doc.Body.Type() == ast.DirectiveType:
		case root != nil:
			return nil, b.fail(&place{token: firstToken(doc.Body), secret: b.discreet},
				errors.New("a second document starts here; keep one and remove the line --- before it"))
		default:
			root = doc.Body
		}
	}
	return root, nil
}

// syntax turns an error of the YAML parser into ours.
func (b *binder) syntax(err error) error {
	var at yaml.Error
	if !errors.As(err, &at) || at.GetToken() == nil {
		return b.fail(nil, fmt.Errorf("not valid YAML: %w", err))
	}
	return b.fail(&place{token: at.GetToken(), secret: b.discreet}, fmt.Errorf("not valid YAML: %s", strings.ReplaceAll(at.GetMessage(), "\t", `\t`)))
}
