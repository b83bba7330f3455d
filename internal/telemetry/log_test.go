package telemetry

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"log/slog"
	"math"
	"strings"
	"testing"
	"time"
)

type fruit uint8

func (f fruit) String() string { return [...]string{"apple", "pear"}[f] }

func logged(do func(*Log)) string {
	var text bytes.Buffer
	do(New(slog.New(slog.NewTextHandler(&text, nil))))
	return text.String()
}

func TestSay(t *testing.T) {
	got := logged(func(l *Log) {
		l.Say(RelayStarted, Number(Routers, 3), Duration(ValidFor, time.Hour), Flag(GRO, true), Code(Why, fruit(1)))
		l.Say(AdminTrouble)
	})
	for _, want := range []string{
		`level=INFO msg="relay started" routers=3 valid_for=1h0m0s gro=true why=pear`,
		`level=WARN msg="the admin listener had trouble with a request"`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %s in\n%s", want, got)
		}
	}
	var none *Log
	none.Say(RelayStarted)
	none.Instead(AdminTrouble).Print("nobody hears it")
}

// TestInstead: of what a library writes, nothing comes through.
func TestInstead(t *testing.T) {
	got := logged(func(l *Log) { l.Instead(AdminTrouble).Printf("http: panic serving %s", "192.0.2.1:4711") })
	if strings.Contains(got, "192.0.2.1") || strings.Contains(got, "panic") || !strings.Contains(got, AdminTrouble.String()) {
		t.Error(got)
	}
}

// TestAllHaveTexts: each once, so that a line of the log names one event.
func TestAllHaveTexts(t *testing.T) {
	seen := map[string]bool{"": true}
	for e := range events {
		if seen[e.String()] {
			t.Errorf("event %d has no text of its own: %q", e, e)
		}
		seen[e.String()] = true
	}
	for k := range keys {
		if seen[k.String()] {
			t.Errorf("key %d has no name of its own: %q", k, k)
		}
		seen[k.String()] = true
	}
}

// TestNumbersAreNumbers: the log gets a number as such, which has no text of its own;
// a type with one, such as a leg's ID, is no number.
func TestNumbersAreNumbers(t *testing.T) {
	if got := Number(Routers, 3).attr.Value.Kind(); got != slog.KindInt64 {
		t.Errorf("an int is logged as %v", got)
	}
	if got := Number(Bytes, uint64(math.MaxUint64)).attr.Value; got.Kind() != slog.KindUint64 || got.Uint64() != math.MaxUint64 {
		t.Errorf("a uint64 is logged as %v", got)
	}
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, "log.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	config := types.Config{Error: func(error) {}} // it finds no imports; Number's constraint needs none
	pkg, _ := config.Check("telemetry", files, []*ast.File{file}, nil)
	constraint, ok := pkg.Scope().Lookup("Number").Type().(*types.Signature).TypeParams().At(0).Constraint().Underlying().(*types.Interface)
	if !ok {
		t.Fatal("Number's constraint is no interface")
	}
	for _, kind := range []types.BasicKind{types.Int, types.Int64, types.Uint64} {
		if !types.Satisfies(types.Typ[kind], constraint) {
			t.Errorf("%s is refused", types.Typ[kind])
		}
		named := types.NewNamed(types.NewTypeName(token.NoPos, pkg, "LegID", nil), types.Typ[kind], nil)
		if types.Satisfies(named, constraint) {
			t.Errorf("a type that is made of %s is taken", types.Typ[kind])
		}
	}
}
