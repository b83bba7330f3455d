package conf

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// plainKey is what a key looks like.
var plainKey = regexp.MustCompile(`^[\w-]{1,40}$`)

// A field is a key that a struct knows.
type field struct {
	name   string
	index  int
	secret bool
}

// fieldsOf returns the keys of a struct type by name.
func fieldsOf(t reflect.Type) map[string]field {
	known := make(map[string]field, t.NumField())
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		if !f.IsExported() || name == "-" {
			continue
		}
		if name == "" {
			name = strings.ToLower(f.Name)
		}
		known[name] = field{name: name, index: i, secret: f.Tag.Get("conf") == "secret"}
	}
	return known
}

// hasSecret says whether t has a secret field at any depth.
func hasSecret(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Slice:
		return hasSecret(t.Elem())
	case reflect.Struct:
		for _, f := range fieldsOf(t) {
			if f.secret || hasSecret(t.Field(f.index).Type) {
				return true
			}
		}
	}
	return false
}

// keyName returns a key as it is written, without quotes. A number is a name like any other.
func keyName(key ast.MapKeyNode) string {
	if text, ok := scalarText(key); ok {
		return text
	}
	return key.GetToken().Value
}

// unknownKey says which key may have been meant: the nearest one, or else all there are.
func unknownKey(key string, known map[string]field) error {
	names := slices.Sorted(maps.Keys(known))
	if len(names) == 0 {
		return errors.New("unknown key; no key is allowed here")
	}
	best := slices.MinFunc(names, func(a, b string) int { return distance(key, a) - distance(key, b) })
	if d := distance(key, best); d < len(best) && d <= max(2, len(best)/3) {
		return fmt.Errorf("unknown key; did you mean %q?", best)
	}
	return fmt.Errorf("unknown key; expected one of %s", strings.Join(names, ", "))
}

// distance is the Levenshtein distance of two words, letter case aside. Only their first 64 bytes count.
func distance(a, b string) int {
	a, b = a[:min(len(a), 64)], b[:min(len(b), 64)]
	from, to := []rune(strings.ToLower(a)), []rune(strings.ToLower(b))
	row := make([]int, len(to)+1)
	for j := range row {
		row[j] = j
	}
	for i, r := range from {
		diagonal := row[0]
		row[0] = i + 1
		for j, s := range to {
			replace := diagonal
			if r != s {
				replace++
			}
			diagonal = row[j+1]
			row[j+1] = min(replace, diagonal+1, row[j]+1)
		}
	}
	return row[len(to)]
}
