package archtest

import (
	"fmt"
	"slices"
	"strings"
)

// An importRule says what some packages of ours may not import. Our own paths are written
// "./relay/forward"; a path that ends in /... stands for what is below it too.
type importRule struct {
	name, why string
	of        string   // the packages that the rule is about
	tests     bool     // their tests too
	direct    []string // never imported by them
	reached   []string // never imported by them, nor by a package of ours that they import, and so on
	ours      []string // the only packages of ours that they import; nil if it does not matter
}

const quicGo = "github.com/quic-go/quic-go/..."

func importRules() []rule {
	var rules []rule
	for _, r := range []importRule{
		{
			name: "forward_cannot_read", of: "./relay/forward",
			direct:  []string{"crypto/tls", "os"},
			reached: []string{quicGo, "./auth/...", "./tunnel/..."},
			why:     "a reader sees from its imports that the data plane can neither decrypt a tunnel nor write a file",
		},
		{
			name: "relay_without_tunnel", of: "./relay/...", reached: []string{"./tunnel/..."},
			why: "the relay holds no end of a tunnel; what both need is in internal",
		},
		{
			name: "tunnel_without_relay", of: "./tunnel/...", reached: []string{"./relay/..."},
			why: "the SDK is for devices and routers, which do not trust a relay and should not link one",
		},
		{
			name: "auth_is_pure", of: "./auth/...", direct: []string{"net", "os"}, reached: []string{quicGo},
			ours: []string{"./auth/...", "./internal/..."},
			why:  "a decision is made from bytes and a given time, so that it can be tested and replayed exactly",
		},
		{
			name: "wire_stands_alone", of: "./internal/wire", ours: []string{},
			why: "the wire package is the specification; one reads it without reading anything else of ours",
		},
		{
			name: "udpio_stands_alone", of: "./internal/udpio", ours: []string{},
			why: "batched sockets know nothing of what they carry",
		},
		{
			name: "nobody_imports_bench", of: "./...", tests: true, direct: []string{"./bench/..."},
			why: "measuring code is not tested or reviewed as what it measures",
		},
		{
			name: "auditor_stands_alone", of: "./bench/retention/...", tests: true,
			reached: []string{"./relay/...", "./internal/packetmem", "./internal/leak"},
			why:     "who audits the relay shares no code with what it audits, so that one mistake can't blind both",
		},
	} {
		rules = append(rules, rule{r.name, r.why, r.find})
	}
	return rules
}

func (r importRule) find(t *tree) (looked int, broken []finding) {
	for _, p := range t.packages {
		if !match(r.of, "./"+p.path) || slices.ContainsFunc(r.direct, func(d string) bool { return match(d, "./"+p.path) }) {
			continue
		}
		looked++
		for _, f := range p.files {
			if f.test && !r.tests {
				continue
			}
			for _, imported := range t.imports(f) {
				if what := r.judge(t, imported); what != "" {
					broken = append(broken, finding{f.path, what})
				}
			}
		}
	}
	return looked, broken
}

// judge says what is wrong with an import; empty if nothing is.
func (r importRule) judge(t *tree, imported string) string {
	if matchAny(r.direct, imported) {
		return fmt.Sprintf("imports %s", imported)
	}
	if r.ours != nil && strings.HasPrefix(imported, "./") && !matchAny(r.ours, imported) {
		return fmt.Sprintf("imports %s; of ours it may import %s", imported, strings.Join(append(r.ours, "nothing else"), ", "))
	}
	if len(r.reached) > 0 {
		if way := t.way(imported, r.reached, map[string]bool{}); way != nil {
			return fmt.Sprintf("imports %s", strings.Join(way, ", which imports "))
		}
	}
	return ""
}

// way returns the imports that lead from a path to one of goals, both included; nil if none do.
func (t *tree) way(from string, goals []string, seen map[string]bool) []string {
	if matchAny(goals, from) {
		return []string{from}
	}
	i := slices.IndexFunc(t.packages, func(p *pkg) bool { return "./"+p.path == from })
	if i < 0 || seen[from] {
		return nil
	}
	seen[from] = true
	for f := range t.packages[i].sources {
		for _, next := range t.imports(f) {
			if way := t.way(next, goals, seen); way != nil {
				return append([]string{from}, way...)
			}
		}
	}
	return nil
}

func matchAny(patterns []string, path string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return match(p, path) })
}

// match says whether path is pattern, or below it if pattern ends in /...
func match(pattern, path string) bool {
	base, below := strings.CutSuffix(pattern, "/...")
	return path == base || below && strings.HasPrefix(path, base+"/")
}
