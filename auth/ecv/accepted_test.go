package ecv

import (
	"bytes"
	"errors"
	"slices"
	"testing"
)

func TestAccepted(t *testing.T) {
	a, b := TagID{1}, TagID{2}
	given := []Entry{{Net, b}, {WiFi, a}, {Net, a}, {Net, b}}
	accepted := NewAccepted(given...)
	if want := []Entry{{WiFi, a}, {Net, a}, {Net, b}}; !slices.Equal(accepted.Entries(), want) {
		t.Errorf("it holds %v, want %v", accepted.Entries(), want)
	}
	if given[0] != (Entry{Net, b}) {
		t.Error("what was given has been sorted")
	}
	for _, c := range []struct {
		f    Feature
		id   TagID
		want bool
	}{{WiFi, a, true}, {WiFi, b, false}, {Net, a, true}, {Net, b, true}, {Geo, a, false}, {Country, b, false}, {Account, a, false}} {
		if accepted.Has(c.f, c.id) != c.want || (Accepted{}).Has(c.f, c.id) {
			t.Errorf("%s %x: accepted is %v", c.f, c.id[0], !c.want)
		}
	}
	for f := range everything.All() {
		if want := f == WiFi || f == Net; accepted.Any(f) != want || (Accepted{}).Any(f) {
			t.Errorf("any %s: %v", f, accepted.Any(f))
		}
	}
	accepted.Entries()[0].Feature = Country
	if !accepted.Has(WiFi, a) {
		t.Error("who asks for the entries can change them")
	}
}

func TestAcceptedEqual(t *testing.T) {
	one, two := NewAccepted(Entry{Net, TagID{1}}), NewAccepted(Entry{Net, TagID{2}})
	both := NewAccepted(Entry{Net, TagID{2}}, Entry{Net, TagID{1}})
	if one.Equal(two) || one.Equal(both) || one.Equal(Accepted{}) || !one.Equal(one) {
		t.Error("what differs is equal, or the reverse")
	}
	if !both.Equal(NewAccepted(both.Entries()...)) || !(Accepted{}).Equal(NewAccepted()) {
		t.Error("what is the same is not equal")
	}
}

func TestParseAcceptedRefuses(t *testing.T) {
	entry := func(f byte, id byte) []byte { return append([]byte{f}, bytes.Repeat([]byte{id}, 16)...) }
	var tooMany []byte
	for i := range MaxAccepted + 1 {
		tooMany = append(tooMany, entry(byte(Net), byte(i))...)
	}
	for name, raw := range map[string][]byte{
		"part of an entry":   entry(0, 1)[:16],
		"an entry and more":  append(entry(0, 1), 0),
		"a feature too high": entry(Features, 1),
		"twice the same":     append(entry(0, 1), entry(0, 1)...),
		"features fall":      append(entry(1, 1), entry(0, 2)...),
		"IDs fall":           append(entry(1, 2), entry(1, 1)...),
		"one too many":       tooMany,
	} {
		if got, err := ParseAccepted(raw); !errors.Is(err, ErrAccepted) || !got.Equal(Accepted{}) {
			t.Errorf("%s: read as %v, %v", name, got, err)
		}
	}
	if got, err := ParseAccepted(tooMany[entrySize:]); err != nil || len(got.Entries()) != MaxAccepted {
		t.Errorf("one less than too many: %v", err)
	}
}

func TestParseAcceptedKeepsNothing(t *testing.T) {
	raw := NewAccepted(Entry{Net, TagID{1}}).Append(nil)
	accepted, err := ParseAccepted(raw)
	clear(raw)
	if err != nil || !accepted.Has(Net, TagID{1}) {
		t.Errorf("the entry is gone with the bytes, %v", err)
	}
}
