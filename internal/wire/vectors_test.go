package wire

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"
)

// vector is a golden message; testdata/README.md describes the files.
type vector struct {
	Name   string
	Type   string
	Secret string
	Fields map[string]string
	Bytes  [][2]string
}

// wire returns the message's bytes.
func (v vector) wire(t testing.TB) []byte {
	var s strings.Builder
	for _, piece := range v.Bytes {
		s.WriteString(piece[0])
	}
	return unhex(t, s.String())
}

func (v vector) key(t testing.TB) *LegSecret {
	return (*LegSecret)(unhex(t, v.Secret))
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// loadJSON returns the elements of all JSON lists in files that match glob. It
// fails if there are none.
func loadJSON[V any](t testing.TB, glob string) []V {
	t.Helper()
	files, err := filepath.Glob(glob)
	if err != nil {
		t.Fatal(err)
	}
	var all []V
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var list []V
		d := json.NewDecoder(bytes.NewReader(data))
		if err := d.Decode(&list); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		all = append(all, list...)
	}
	if len(all) == 0 {
		t.Fatalf("no vectors in %s", glob)
	}
	return all
}

// vectors returns all golden vectors of leg messages or of frames.
func vectors(t testing.TB, leg bool) []vector {
	t.Helper()
	var some []vector
	for _, v := range loadJSON[vector](t, "testdata/vectors/*.json") {
		if (v.Secret != "") == leg {
			some = append(some, v)
		}
	}
	if len(some) == 0 {
		t.Fatal("no vectors of this kind")
	}
	return some
}

// types returns every type that has a name.
func types() []Type {
	var all []Type
	for n := range 256 {
		if t := Type(n); !strings.HasPrefix(t.String(), "type ") {
			all = append(all, t)
		}
	}
	return all
}

func typeByName(t testing.TB, name string) Type {
	t.Helper()
	for _, typ := range types() {
		if typ.String() == name {
			return typ
		}
	}
	t.Fatalf("no type is called %q", name)
	return 0
}

// setFields sets the fields of the struct at m, named as in the vectors.
func setFields(t testing.TB, m any, values map[string]string) {
	t.Helper()
	for name, s := range values {
		f := fieldByName(reflect.ValueOf(m).Elem(), name)
		if !f.IsValid() {
			t.Fatalf("%T has no field for %q", m, name)
		}
		setField(t, f, s)
	}
}

// fieldByName returns the field of m, or of its Vouched, that the vectors call
// name.
func fieldByName(m reflect.Value, name string) reflect.Value {
	match := func(goName string) bool { return strings.EqualFold(goName, strings.ReplaceAll(name, "_", "")) }
	f := m.FieldByNameFunc(match)
	if vouched := m.FieldByName("Vouched"); !f.IsValid() && vouched.IsValid() {
		return vouched.FieldByNameFunc(match)
	}
	return f
}

func setField(t testing.TB, f reflect.Value, s string) {
	t.Helper()
	switch {
	case f.Type() == reflect.TypeFor[time.Duration]():
		n, err := strconv.ParseUint(s, 10, 32)
		if err != nil {
			t.Fatal(err)
		}
		f.SetInt(int64(n) * int64(time.Second))
	case f.Type() == reflect.TypeFor[time.Time]():
		n, err := strconv.ParseUint(s, 10, 32)
		if err != nil {
			t.Fatal(err)
		}
		f.Set(reflect.ValueOf(time.Unix(int64(n), 0).UTC()))
	case f.Kind() == reflect.Bool:
		f.SetBool(s == "1")
	case f.CanUint():
		n, err := strconv.ParseUint(s, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		f.SetUint(n)
	case f.Kind() == reflect.String:
		f.SetString(s)
	case f.Kind() == reflect.Slice:
		f.SetBytes(unhex(t, s))
	case f.Kind() == reflect.Array:
		if n := reflect.Copy(f, reflect.ValueOf(unhex(t, s))); n != f.Len() {
			t.Fatalf("%d bytes for an array of %d", n, f.Len())
		}
	default:
		t.Fatalf("no vectors for fields of type %s", f.Type())
	}
}

func TestEveryTypeHasVectors(t *testing.T) {
	count := map[string]int{}
	names := map[string]bool{}
	for _, v := range loadJSON[vector](t, "testdata/vectors/*.json") {
		count[v.Type]++
		if names[v.Name] {
			t.Errorf("two vectors are called %s", v.Name)
		}
		names[v.Name] = true
	}
	for _, typ := range types() {
		if count[typ.String()] == 0 {
			t.Errorf("no vector for %s", typ)
		}
	}
}
