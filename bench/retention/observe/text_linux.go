package observe

import (
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/lethe-relay/lethe/bench/retention/canary"
)

// maxText is how much of each text is kept to be looked through at the end, in bytes.
const maxText = 64 << 20

// texts keeps what was said, by who said it, until all that is sought is known.
type texts struct {
	mu   sync.Mutex
	said map[string][]byte
	lost map[string]int // bytes beyond maxText
}

func (t *texts) add(who string, b []byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.said == nil {
		t.said, t.lost = make(map[string][]byte), make(map[string]int)
	}
	take := min(len(b), maxText-len(t.said[who]))
	t.said[who] = append(t.said[who], b[:take]...)
	if take < len(b) {
		t.lost[who] += len(b) - take
	}
}

// scan looks through all of it.
func (t *texts) scan(detector string, f *canary.Finder) (all canary.Found, r Result) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, who := range slices.Sorted(maps.Keys(t.said)) {
		found := f.ScanText(t.said[who])
		all.Add(found, who, 0)
		if found.Any() {
			r.found(detector, fmt.Sprintf("%s holds %d canaries, %d windows and %d identifiers%s", who, found.Canaries, found.Windows, found.Identifiers, namesIn(found)))
		}
		if n := t.lost[who]; n > 0 {
			r.gap(detector, fmt.Sprintf("the last %d bytes of %s were not kept: it says more than %d bytes", n, who, maxText))
		}
	}
	return all, r
}

// namesIn lists the names of identifiers that were found.
func namesIn(found canary.Found) string {
	var names []string
	for _, p := range found.Places {
		if p.Name != "" && !slices.Contains(names, p.Name) {
			names = append(names, p.Name)
		}
	}
	if names == nil {
		return ""
	}
	return fmt.Sprintf(" (%q)", names)
}
