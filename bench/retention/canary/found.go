package canary

import "fmt"

// Kinds of things found.
const (
	KindCanary     = "canary"
	KindWindow     = "window"
	KindIdentifier = "identifier"
)

// maxPlaces is how many places of each kind a Found remembers.
const maxPlaces = 8

// Place is where something was found.
type Place struct {
	Kind   string `json:"kind"`
	Name   string `json:"name,omitempty"` // of an identifier
	In     string `json:"in,omitempty"`   // the mapping or text, as Add was told
	Offset uint64 `json:"offset"`
}

// String is a place as a report shows it.
func (p Place) String() string {
	what := p.Kind
	if p.Name != "" {
		what = fmt.Sprintf("%s %q", p.Kind, p.Name)
	}
	return fmt.Sprintf("%s at %#x of %s", what, p.Offset, p.In)
}

// Found says how many of each there were, and the places of the first few. The zero
// value is nothing.
type Found struct {
	Canaries    int     `json:"canaries"`
	Windows     int     `json:"windows"`
	Identifiers int     `json:"identifiers"`
	Places      []Place `json:"places,omitempty"` // at most 8 of each kind

	// ByTop counts the canaries by the highest byte of their number, so that
	// whoever plants them can tell whose they are. Nil if there are none.
	ByTop map[uint8]int `json:"by_top,omitempty"`
}

// Any says whether anything was found.
func (f Found) Any() bool { return f.Canaries+f.Windows+f.Identifiers > 0 }

// Add adds what was found in the memory or text called in, which begins at offset base
// of that.
func (f *Found) Add(g Found, in string, base uint64) {
	f.Canaries += g.Canaries
	f.Windows += g.Windows
	f.Identifiers += g.Identifiers
	for top, n := range g.ByTop {
		if f.ByTop == nil {
			f.ByTop = make(map[uint8]int)
		}
		f.ByTop[top] += n
	}
	for _, p := range g.Places {
		p.Offset += base
		if p.In == "" {
			p.In = in
		}
		f.place(p)
	}
}

func (f *Found) canary(number uint64, at int) {
	f.Canaries++
	if f.ByTop == nil {
		f.ByTop = make(map[uint8]int)
	}
	f.ByTop[uint8(number>>56)]++
	f.place(Place{Kind: KindCanary, Offset: uint64(at)})
}

func (f *Found) identifier(name string, at int) {
	f.Identifiers++
	f.place(Place{Kind: KindIdentifier, Name: name, Offset: uint64(at)})
}

func (f *Found) place(p Place) {
	same := 0
	for _, q := range f.Places {
		if q.Kind == p.Kind {
			same++
		}
	}
	if same < maxPlaces {
		f.Places = append(f.Places, p)
	}
}
