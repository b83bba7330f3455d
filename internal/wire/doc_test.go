package wire

import (
	"fmt"
	"os"
	"regexp"
	"testing"
)

// The package documentation is the specification, so its tables name exactly
// the numbers that the code has.

var (
	docTypes = regexp.MustCompile(`(?m)^//\t(0x[0-9a-f]{2}) ([A-Za-z-]+) `)
	docCodes = regexp.MustCompile(`(?m)^//\t ?([0-9]+) ([a-z_]+) {2,}[a-z]`)
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
