package relay

import (
	"cmp"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
)

const (
	heldFile  = "testdata/held.txt"
	relayPath = "github.com/lethe-relay/lethe/relay"
	mapPath   = "github.com/lethe-relay/lethe/internal/forgetful"
)

// TestAllThatCanBeHeld compares the fields of the running relay that could hold an
// identity, an address, a key or payload with a list, on which each has what
// 'explain' tells of it, or why it tells nothing. A new map or field fails here until
// somebody has thought about that, and has written it down.
//
// It walks types, not values, so that it sees what is empty now. What only goroutines
// hold while they answer a request, it does not see.
func TestAllThatCanBeHeld(t *testing.T) {
	found := make(map[string]bool)
	walkType(reflect.TypeFor[Relay](), map[reflect.Type]bool{}, found)
	data, err := os.ReadFile(heldFile)
	if err != nil {
		t.Fatal(err)
	}
	listed := make(map[string]bool)
	for line := range strings.Lines(string(data)) {
		field, why, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
		if strings.HasPrefix(line, "#") || field == "" {
			continue
		}
		if strings.TrimSpace(why) == "" {
			t.Errorf("%s: %s has no word on what explain tells of it", heldFile, field)
		}
		listed[field] = true
		if !found[field] {
			t.Errorf("%s: %s is not there any more", heldFile, field)
		}
	}
	for _, field := range slices.Sorted(keysOf(found)) {
		if !listed[field] {
			t.Errorf("%s is new: have explain tell it (relay/control/explain.go), and add a line to %s", field, heldFile)
		}
	}
	if len(found) < 30 {
		t.Errorf("only %d fields were found", len(found))
	}
}

func keysOf(m map[string]bool) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

// walkType notes the fields of t, and of all that it leads to in the relay's packages.
func walkType(t reflect.Type, seen map[reflect.Type]bool, found map[string]bool) {
	if seen[t] {
		return
	}
	seen[t] = true
	if target := pointerTarget(t); target != nil {
		walkType(target, seen, found)
		return
	}
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Array, reflect.Chan:
		walkType(t.Elem(), seen, found)
	case reflect.Map:
		if canHold(t.Key()) {
			found[short(t)+" leaves its keys in memory when they are deleted; take a forgetful.Map"] = true
		}
		walkType(t.Key(), seen, found)
		walkType(t.Elem(), seen, found)
	case reflect.Struct:
		ours := strings.HasPrefix(t.PkgPath(), relayPath)
		if !ours && t.PkgPath() != mapPath || t.Name() == "Config" || t.Name() == "Limits" { // those are the operator's
			return
		}
		for i := range t.NumField() {
			f := t.Field(i)
			if ours && canHold(f.Type) {
				found[fmt.Sprintf("%s.%s %s", short(t), f.Name, short(f.Type))] = true
			}
			walkType(f.Type, seen, found)
		}
	}
}

// canHold leaves out numbers, times, locks, and what is walked through itself.
func canHold(t reflect.Type) bool {
	if target := pointerTarget(t); target != nil {
		return canHold(target)
	}
	plain := []string{"sync", "sync/atomic", "time", "hash/maphash", "golang.org/x/time/rate"}
	if strings.HasPrefix(t.PkgPath(), relayPath) || slices.Contains(plain, t.PkgPath()) {
		return false
	}
	switch t.Kind() {
	case reflect.Map, reflect.String, reflect.Interface, reflect.Func, reflect.Chan:
		return true
	case reflect.Slice, reflect.Array, reflect.Pointer:
		return canHold(t.Elem()) || t.Elem().Kind() == reflect.Uint8
	case reflect.Struct:
		return true
	}
	return t.PkgPath() != "" // a number with a meaning, such as a wire.LegID
}

// pointerTarget is the T of an atomic.Pointer[T]; nil for any other type.
func pointerTarget(t reflect.Type) reflect.Type {
	if t.PkgPath() == "sync/atomic" && strings.HasPrefix(t.Name(), "Pointer[") {
		return t.Field(0).Type.Elem().Elem() // _ [0]*T
	}
	return nil
}

// short is a type's name without the module's path.
func short(t reflect.Type) string {
	name := t.String()
	if t.Name() != "" && t.PkgPath() != "" {
		name = t.PkgPath() + "." + t.Name()
	}
	name = strings.ReplaceAll(name, "github.com/lethe-relay/lethe/", "")
	return cmp.Or(strings.ReplaceAll(name, "net/netip", "netip"), "?")
}
