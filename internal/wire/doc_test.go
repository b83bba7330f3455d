package wire

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"os"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// The package documentation is the specification, so its tables name exactly
// the numbers that the code has.

var (
	docTypes = regexp.MustCompile(`(?m)^//\t(0x[0-9a-f]{2}) ([A-Za-z-]+) `)
	docCodes = regexp.MustCompile(`(?m)^//\t ?([0-9]+) ([a-z_]+) {2,}[a-z]`)

	docFields = regexp.MustCompile(`(?m)^//\t([a-z-]*) +([0-9]+) ([a-z_]+)(\*?)(?: {2,}|$)`)
	remarks   = regexp.MustCompile(`^key ([0-9]+), ([a-z_]+)$`)
)

func readDoc(t *testing.T, row *regexp.Regexp) map[string]bool {
	t.Helper()
	doc, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string]bool{}
	for _, m := range row.FindAllStringSubmatch(string(doc), -1) {
		rows[m[1]+" "+m[2]] = true
	}
	return rows
}

func TestDocListsTypes(t *testing.T) {
	rows := readDoc(t, docTypes)
	for _, typ := range types() {
		if row := fmt.Sprintf("0x%02x %s", uint8(typ), typ); !rows[row] {
			t.Errorf("doc.go does not list %s", row)
		}
	}
	if len(rows) != len(types()) {
		t.Errorf("doc.go lists %d types, the code has %d", len(rows), len(types()))
	}
}

func TestDocListsCodes(t *testing.T) {
	rows := readDoc(t, docCodes)
	for n, code := range closeNumbers {
		if row := fmt.Sprintf("%d %s", n, code); n > 0 && !rows[row] {
			t.Errorf("doc.go does not list %s", row)
		}
	}
	if len(rows) != len(closeNumbers)-1 {
		t.Errorf("doc.go lists %d codes, the code has %d", len(rows), len(closeNumbers)-1)
	}
}

// field is a row of the documentation's table of fields.
type field struct{ typ, key, name string }

// readFields returns the rows, and which fields are required.
func readFields(t *testing.T) map[field]bool {
	t.Helper()
	doc, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(doc), "\n// # Fields\n")
	table, _, _ = strings.Cut(table, "\n// # ")
	rows, typ := map[field]bool{}, ""
	for _, m := range docFields.FindAllStringSubmatch(table, -1) {
		typ = cmp.Or(m[1], typ)
		rows[field{typ, m[2], m[3]}] = m[4] == "*"
	}
	return rows
}

// Every field that is documented has a vector, and the other way round; and
// exactly the required ones can't be left out.
func TestDocListsFields(t *testing.T) {
	rows, shown := readFields(t), map[field]bool{}
	for _, v := range vectors(t, false) {
		for _, piece := range v.Bytes {
			m := remarks.FindStringSubmatch(piece[1])
			if m == nil {
				continue
			}
			row := field{v.Type, m[1], m[2]}
			required, ok := rows[row]
			if !ok {
				t.Errorf("doc.go does not list %v of vector %s", row, v.Name)
			}
			shown[row] = true
			key, err := strconv.ParseUint(row.key, 10, 8)
			if err != nil || piece[0] != fmt.Sprintf("%02x", key) {
				t.Errorf("%s: %q is not %s", v.Name, piece[0], piece[1])
			}
			_, err = ReadMessage(bytes.NewReader(alter(t, v, key, nil)))
			if required != errors.Is(err, ErrMissing) {
				t.Errorf("%s without %s: error %v; doc.go says required %v", v.Name, row.name, err, required)
			}
		}
	}
	for row := range rows {
		if !shown[row] {
			t.Errorf("no vector has %v", row)
		}
	}
}

// The table has as many rows for a message as the struct has fields.
func TestDocListsEveryField(t *testing.T) {
	count := map[string]int{}
	for row := range readFields(t) {
		count[row.typ]++
	}
	for _, typ := range types() {
		m := newMessage(typ)
		if m == nil {
			continue
		}
		s := reflect.TypeOf(m).Elem()
		want := s.NumField()
		if _, ok := s.FieldByName("Vouched"); ok {
			want += reflect.TypeFor[Vouched]().NumField() - 1
		}
		if got := count[typ.String()]; got != want {
			t.Errorf("doc.go lists %d fields of %s, the code has %d", got, typ, want)
		}
	}
}

// Leg types and frame types each keep to their ranges.
func TestTypeRanges(t *testing.T) {
	for _, typ := range types() {
		leg := typ >= 0x04 && typ <= 0x0f
		if frame := newMessage(typ) != nil; typ.isLeg() != leg || frame == leg {
			t.Errorf("0x%02x %s: leg %v, frame %v", uint8(typ), typ, typ.isLeg(), frame)
		}
		if m := newMessage(typ); m != nil && m.Type() != typ {
			t.Errorf("newMessage(%s) has type %s", typ, m.Type())
		}
	}
}
