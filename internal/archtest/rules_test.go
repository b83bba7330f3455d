package archtest

import (
	"fmt"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A rule is something that holds for the whole tree, or for a part of it.
type rule struct {
	name string // also the name of its sample: testdata/NAME.txtar
	why  string
	// find returns what breaks the rule, and at how many things it looked.
	find func(*tree) (looked int, broken []finding)
}

// A finding is one breach of a rule.
type finding struct {
	at   string // a file, a file and what is in it ("relay/run.go:Run"), or a folder
	what string
}

// An exemption lets one finding pass.
type exemption struct {
	rule, at string
	reason   string
}

// exemptions are what the tree is allowed, against its rules.
var exemptions = []exemption{
	{"machine_paths", "internal/archtest/testdata/machine_paths.txtar", "it is the sample that shows the rule failing"},
}

// rules are all the rules there are.
func rules() []rule {
	return slices.Concat(importRules(), sourceRules(), retentionRules(), fileRules())
}

// complaints returns what is wrong with t under r: findings without an exemption, exemptions
// without a finding, and a rule that looked at nothing.
func (r rule) complaints(t *tree, allowed []exemption) []finding {
	looked, broken := r.find(t)
	if looked == 0 {
		return []finding{{"nothing", "the rule looked at nothing: what it is about is missing or was renamed"}}
	}
	var out []finding
	used := make(map[exemption]bool)
	for _, f := range broken {
		i := slices.IndexFunc(allowed, func(e exemption) bool { return e.rule == r.name && e.at == f.at })
		if i < 0 {
			out = append(out, f)
			continue
		}
		used[allowed[i]] = true
	}
	for _, e := range allowed {
		if e.rule == r.name && !used[e] {
			out = append(out, finding{e.at, "the exemption is not needed any more; remove it"})
		}
	}
	return out
}

func TestRules(t *testing.T) {
	tr := repository(t)
	for _, r := range rules() {
		t.Run(r.name, func(t *testing.T) {
			for _, f := range r.complaints(tr, exemptions) {
				t.Errorf("%s: %s\n\twhy: %s", f.at, f.what, r.why)
			}
		})
	}
}

// TestRulesCanFail runs each rule on the sample that breaks it. The sample's lines "want: PLACE"
// name all the places, so that a rule that sees too much fails here too.
func TestRulesCanFail(t *testing.T) {
	for _, r := range rules() {
		t.Run(r.name, func(t *testing.T) {
			tr, head := sample(t, filepath.Join("testdata", r.name+".txtar"))
			var want, got []string
			for line := range strings.Lines(head) {
				if at, ok := strings.CutPrefix(line, "want: "); ok {
					want = append(want, strings.TrimSpace(at))
				}
			}
			if len(want) == 0 {
				t.Fatal("the sample has no line that starts with want:")
			}
			found := r.complaints(tr, nil)
			for _, f := range found {
				got = append(got, f.at)
			}
			slices.Sort(want)
			slices.Sort(got)
			if !slices.Equal(got, want) {
				t.Errorf("broken at %q, want %q\n%v", got, want, found)
			}
		})
	}
}

// TestSamples: there is no sample of a rule that is gone.
func TestSamples(t *testing.T) {
	archives, _ := filepath.Glob("testdata/*.txtar")
	for _, archive := range archives {
		name := strings.TrimSuffix(filepath.Base(archive), ".txtar")
		if name != "clean" && !slices.ContainsFunc(rules(), func(r rule) bool { return r.name == name }) {
			t.Errorf("%s is the sample of no rule", archive)
		}
	}
}

func TestCleanTree(t *testing.T) {
	tr, _ := sample(t, "testdata/clean.txtar")
	for _, r := range rules() {
		for _, f := range r.complaints(tr, nil) {
			t.Errorf("%s: %s: %s", r.name, f.at, f.what)
		}
	}
}

// TestEmptyTree: no rule passes because there is nothing to look at.
func TestEmptyTree(t *testing.T) {
	for _, r := range rules() {
		if len(r.complaints(&tree{fset: token.NewFileSet()}, nil)) == 0 {
			t.Errorf("%s passes on an empty tree", r.name)
		}
	}
}

func TestExemptions(t *testing.T) {
	r := rule{name: "r", find: func(*tree) (int, []finding) { return 1, []finding{{"a", ""}, {"b", ""}} }}
	allowed := []exemption{{"r", "a", "a reason"}, {"r", "c", "is stale"}, {"other", "b", "another rule's"}}
	if got := fmt.Sprint(r.complaints(nil, allowed)); got != "[{b } {c the exemption is not needed any more; remove it}]" {
		t.Errorf("got %s", got)
	}
	for _, e := range exemptions {
		if e.reason == "" || !slices.ContainsFunc(rules(), func(r rule) bool { return r.name == e.rule }) {
			t.Errorf("exemption %v: no reason, or no such rule", e)
		}
	}
}
