package suite

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestSeveral: after the tables of several scenarios stand the bars that are not
// reached; pictures are of those that were measured.
func TestSeveral(t *testing.T) {
	measured, _ := runThree(t)
	other := &Result{Name: "audit", Skipped: "not root", Charts: measured.Charts}
	other.Bars = []Verdict{{Bar: Bar{What: "kept", Zero: true}, Skipped: "not root"}}
	broken := &Result{Name: "open", Failed: "open: dial: no luck"}
	r := &Report{Scenarios: []*Result{measured, other, broken}}
	var out bytes.Buffer
	if err := r.WriteTables(&out); err != nil {
		t.Fatal(err)
	}
	want := "\n1 of 3 bars are reached\nFAIL  sample: speed, at most 9.00: 10.00\nSKIP  audit: kept, none: not root\nFAIL  open: dial: no luck\n"
	if !strings.HasSuffix(out.String(), want) {
		t.Errorf("got\n%swant at its end%s", out.String(), want)
	}
	dir := t.TempDir()
	if err := r.WritePNGs(dir); err != nil {
		t.Fatal(err)
	}
	if files, _ := os.ReadDir(dir); len(files) != 1 || files[0].Name() != "sample.png" {
		t.Errorf("%v", files)
	}
}

func TestNoReport(t *testing.T) {
	path := filepath.Join(t.TempDir(), "r.json")
	if err := os.WriteFile(path, []byte("[]"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadFile(path); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("got %v", err)
	}
}

func TestSmallPrint(t *testing.T) {
	r := Report{Commit: strings.Repeat("ab", 20), Modified: true, CPUs: 2, CPUModel: "A", Flags: []string{"--rounds", "3"}}
	if got := r.SmallPrint(); !strings.Contains(got, "abababababab with changes") || !strings.Contains(got, "2 × A") || !strings.Contains(got, "--rounds 3") {
		t.Errorf("%q", got)
	}
}
