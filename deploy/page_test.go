package deploy

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/lethe-relay/lethe/internal/hostcheck"
	"github.com/lethe-relay/lethe/internal/lockdown"
)

const (
	page = "docs/retention.md"
	root = ".."
)

func read(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// goFiles returns the text of all Go files below a folder, or of the tests alone.
func goFiles(t *testing.T, dir string, tests bool) (text string) {
	t.Helper()
	var b strings.Builder
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && (d.Name() == "testdata" || d.Name() == ".git") {
			return fs.SkipDir
		}
		if err != nil || filepath.Ext(name) != ".go" || strings.HasSuffix(name, "_test.go") != tests {
			return err
		}
		data, err := os.ReadFile(name)
		b.Write(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// quoted are the words in backticks that a pattern matches whole.
func quoted(text, pattern string) []string {
	var words []string
	for _, m := range regexp.MustCompile("`("+pattern+")`").FindAllStringSubmatch(text, -1) {
		words = append(words, m[1])
	}
	slices.Sort(words)
	return slices.Compact(words)
}

// column are the words in backticks in a column of the table below a heading.
func column(t *testing.T, text, heading string, number int) (words []string) {
	t.Helper()
	_, section, found := strings.Cut(text, "\n## "+heading+"\n")
	if !found {
		t.Fatalf("%s has no section %q", page, heading)
	}
	section, _, _ = strings.Cut(section, "\n## ")
	for line := range strings.Lines(section) {
		if cells := strings.Split(line, "|"); len(cells) > number+1 && !strings.HasPrefix(line, "|--") {
			words = append(words, quoted(cells[number], `[a-z_]+`)...)
		}
	}
	slices.Sort(words)
	return slices.Compact(words)
}

// packetBuffers are the controls that package relay has beside those of package lockdown.
func packetBuffers(t *testing.T) (names []string) {
	for _, m := range regexp.MustCompile(`= "(packet_buffers_\w+)"`).FindAllStringSubmatch(goFiles(t, root+"/relay", false), -1) {
		names = append(names, m[1])
	}
	if len(names) == 0 {
		t.Fatal("package relay has no controls of packet buffers")
	}
	return names
}

// TestRetentionPageIsTrue: each test, control, metric and check that the page
// names is there, and no control or check is left out.
func TestRetentionPageIsTrue(t *testing.T) {
	text := read(t, page)

	tests := quoted(text, `Test\w+`)
	if len(tests) < 30 {
		t.Errorf("only %d tests are named", len(tests))
	}
	code := goFiles(t, root, true)
	for _, name := range tests {
		if !strings.Contains(code, "\nfunc "+name+"(t *testing.T") {
			t.Errorf("there is no test %s", name)
		}
	}

	metrics, relay := quoted(text, `lethe_relay_\w+`), goFiles(t, root+"/relay", false)
	for _, name := range metrics {
		if !strings.Contains(relay, `desc("`+strings.TrimPrefix(name, "lethe_relay_")+`"`) {
			t.Errorf("there is no metric %s", name)
		}
	}
	if len(metrics) == 0 {
		t.Error("no metric is named")
	}

	same(t, "controls", column(t, text, "What holds the relay", 1), append(lockdown.Names(), packetBuffers(t)...))
	same(t, "checks of doctor", column(t, text, "Outside of the process", 4), append(hostcheck.Names(), "doctor"))
}

func same(t *testing.T, what string, got, want []string) {
	t.Helper()
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("%s on the page: %q, want %q", what, got, want)
	}
}

// TestRetentionRows: each row about data names what holds it.
func TestRetentionRows(t *testing.T) {
	_, section, _ := strings.Cut(read(t, page), "\n## One row for each kind of data\n")
	section, _, _ = strings.Cut(section, "\n## ")
	rows := 0
	for line := range strings.Lines(section) {
		cells := strings.Split(line, "|")
		if len(cells) != 6 || strings.HasPrefix(line, "|--") || strings.Contains(line, "| held by |") {
			continue
		}
		rows++
		if len(quoted(cells[4], `Test\w+`)) == 0 {
			t.Errorf("no test holds: %s", strings.TrimSpace(cells[1]))
		}
	}
	if rows < 15 {
		t.Errorf("there are %d rows", rows)
	}
}

// TestCountsOfALeg: the page has a word for every number that the data plane keeps of a leg's traffic.
func TestCountsOfALeg(t *testing.T) {
	words := map[string]string{
		"datagrams": "datagrams", "bytes": "bytes", "rate": "how far its rate is used", "fair": "how far its share is used", "asked": "what it has asked for",
	}
	_, row, _ := strings.Cut(read(t, page), "\n| counts of a session: ")
	row, _, _ = strings.Cut(row, "\n")
	_, leg, _ := strings.Cut(read(t, root+"/relay/forward/session.go"), "// written by the loop that owns the leg's source address\n")
	leg, _, _ = strings.Cut(leg, "\n}")
	fields := regexp.MustCompile(`(?m)^\t(\w+) `).FindAllStringSubmatch(leg, -1)
	for _, f := range fields {
		if word := words[f[1]]; word == "" || !strings.Contains(row, word) {
			t.Errorf("%s has no word on a leg's field %s in its row of counts", page, f[1])
		}
	}
	if len(fields) != len(words) {
		t.Errorf("a leg has %d such fields, and %d were looked for", len(fields), len(words))
	}
}

// TestLinks: what our pages link to is there.
func TestLinks(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)#]+)[)#]`)
	looked := 0
	for _, name := range []string{page, "README.md", "container/README.md"} {
		for _, m := range link.FindAllStringSubmatch(read(t, name), -1) {
			looked++
			if _, err := os.Stat(filepath.Join(filepath.Dir(name), m[1])); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	if looked < 10 {
		t.Errorf("only %d links were found", looked)
	}
}
