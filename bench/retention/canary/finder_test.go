package canary

import (
	"encoding/binary"
	"math/rand/v2"
	"net"
	"net/netip"
	"testing"
	"unsafe"

	"pgregory.net/rapid"
)

// surroundings are n bytes of what memory holds: zeros, noise, small numbers, text.
func surroundings(random *rand.ChaCha8, kind, n int) []byte {
	b := make([]byte, n)
	switch kind {
	case 1:
		random.Read(b)
	case 2:
		for i := 0; i+8 <= n; i += 8 {
			binary.LittleEndian.PutUint64(b[i:], random.Uint64()>>(random.Uint64()%64))
		}
	case 3:
		for i := range b {
			b[i] = "the quick brown fox 0123456789\n"[random.Uint64()%31]
		}
	}
	return b
}

// TestFoundAnywhere: whatever is around it, and wherever it is, a thing is found once.
func TestFoundAnywhere(t *testing.T) {
	k, secret := NewKey(), NewKey()
	var window Window
	copy(window[:], filled(NewKey(), 1, 0))
	f := NewFinder(Sought{Key: k, Windows: []Window{window}, Identifiers: []Identifier{Bytes("secret", secret[:])}})
	things := [][]byte{filled(k, 1, 42), window[:], secret[:]}
	rapid.Check(t, func(t *rapid.T) {
		random := rand.NewChaCha8([32]byte{byte(rapid.Uint8().Draw(t, "seed"))})
		memory := surroundings(random, rapid.IntRange(0, 3).Draw(t, "kind"), rapid.IntRange(64, 20_000).Draw(t, "size"))
		which := rapid.IntRange(0, len(things)-1).Draw(t, "which")
		at := rapid.IntRange(0, len(memory)-len(things[which])).Draw(t, "at")
		if edge := rapid.IntRange(0, 3).Draw(t, "edge"); edge == 0 {
			at = len(memory) - len(things[which])
		}
		copy(memory[at:], things[which])
		got := f.Scan(memory)
		want := make([]int, 3)
		want[which] = 1
		if got.Canaries != want[0] || got.Windows != want[1] || got.Identifiers != want[2] || got.Places[0].Offset != uint64(at) {
			t.Fatalf("thing %d at %d of %d: %+v", which, at, len(memory), got)
		}
	})
}

// TestPartsMeet: what lies across the border of two processors' shares is found once.
func TestPartsMeet(t *testing.T) {
	k := NewKey()
	f, block := NewFinder(Sought{Key: k}), filled(k, 1, 1)
	memory := make([]byte, 2*partSize+100)
	for at := partSize - BlockSize - 9; at < partSize+9; at++ {
		clear(memory)
		copy(memory[at:], block)
		if got := f.Scan(memory); got.Canaries != 1 || got.Places[0].Offset != uint64(at) {
			t.Fatalf("at %d: %+v", at-partSize, got)
		}
	}
}

// TestNothingInNoise: random memory holds nothing, nor does another run's.
func TestNothingInNoise(t *testing.T) {
	memory := make([]byte, 8<<20)
	rand.NewChaCha8([32]byte{3}).Read(memory)
	NewPlanter(NewKey()).Fill(memory[:1<<20], 0)
	windows := make([]Window, 30_000)
	random := rand.NewChaCha8([32]byte{4})
	for i := range windows {
		random.Read(windows[i][:])
	}
	f := NewFinder(Sought{Key: NewKey(), Windows: windows, Identifiers: []Identifier{
		Address("v4", netip.MustParseAddr("10.9.8.7")), Address("loopback", netip.MustParseAddr("::1")), Text("text", "router"),
	}})
	if got := f.Scan(memory); got.Any() {
		t.Errorf("found in noise: %+v", got)
	}
}

// TestStraddling: what is half here and half there is claimed of neither.
func TestStraddling(t *testing.T) {
	k := NewKey()
	f, block := NewFinder(Sought{Key: k}), filled(k, 1, 1)
	for cut := 1; cut < BlockSize; cut++ {
		here, there := append(make([]byte, 64), block[:cut]...), append(block[cut:], make([]byte, 64)...)
		block = filled(k, 1, 1)
		var found Found
		found.Add(f.Scan(here), "here", 0)
		found.Add(f.Scan(there), "there", 0)
		if found.Any() {
			t.Fatalf("cut at %d: %+v", cut, found)
		}
	}
}

func TestManyWindows(t *testing.T) {
	random := rand.NewChaCha8([32]byte{5})
	memory := make([]byte, 1<<20)
	random.Read(memory)
	var windows []Window
	for at := 0; at+WindowSize <= len(memory); at += 37 {
		windows = append(windows, Window(memory[at:]))
	}
	weak := append(windows, Window{}, Window{15: 1}, Window{0: 1})
	f := NewFinder(Sought{Key: NewKey(), Windows: weak})
	if got := f.Scan(memory); got.Windows != len(windows) || f.Windows() != len(windows) {
		t.Errorf("%d windows are sought, %d found, planted were %d", f.Windows(), got.Windows, len(windows))
	}
	if got := len(f.Scan(memory).Places); got != maxPlaces {
		t.Errorf("%d places are told", got)
	}
}

// TestAddressForms: an address is found as programs hold and print it, and not where another is meant.
func TestAddressForms(t *testing.T) {
	four, six := netip.MustParseAddr("10.20.30.4"), netip.MustParseAddr("fd00:1::9")
	f := NewFinder(Sought{Key: NewKey(), Identifiers: []Identifier{Address("four", four), Address("six", six)}})
	inMemory := func(a netip.Addr) []byte { return (*[unsafe.Sizeof(a)]byte)(unsafe.Pointer(&a))[:] }
	for name, form := range map[string][]byte{
		"netip 4":     inMemory(four),
		"netip 4 in6": inMemory(netip.AddrFrom16(four.As16())),
		"netip 6":     inMemory(six),
		"net.IP 4":    net.ParseIP("10.20.30.4"),
		"net.IP 6":    net.ParseIP("fd00:1::9"),
		"sockaddr_in": binary.NativeEndian.AppendUint16(nil, 2), // completed below
		"port":        []byte("from 10.20.30.4:443."),
		"sentence":    []byte("from 10.20.30.4."),
		"brackets":    []byte("to [fd00:1::9]:443"),
		"key":         []byte("remote:fd00:1::9 "),
	} {
		if name == "sockaddr_in" {
			form = append(form, 0x12, 0x34, 10, 20, 30, 4, 0, 0, 0, 0, 0, 0, 0, 0)
		}
		padded := append(append(make([]byte, 33), form...), make([]byte, 40)...)
		if got := f.Scan(padded); got.Identifiers == 0 {
			t.Errorf("%s is not found", name)
		}
	}
	for _, other := range []string{"10.20.30.45", "110.20.30.4", "10.20.30.4.5", "1.10.20.30.4", "fd00:1::9f", "cfd00:1::9"} {
		if got := f.Scan([]byte("from " + other + " to me and back")); got.Any() {
			t.Errorf("%s is taken for another: %+v", other, got)
		}
	}
}
