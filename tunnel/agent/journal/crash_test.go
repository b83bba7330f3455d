package journal

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// written returns a journal's file with three entries.
func written(t *testing.T) []byte {
	t.Helper()
	path, at := newPath(t), time.Now()
	j := open(t, path)
	add(t, j, denied(phone, at), denied(laptop, at), Entry{At: at, Device: phone, Event: Left})
	closeJournal(t, j)
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestCrash cuts the file at every byte, as a power cut may, with and without
// the zeros that some file systems leave. Whole lines are read, and at most one is lost.
func TestCrash(t *testing.T) {
	whole := written(t)
	for cut := range len(whole) + 1 {
		for _, tail := range []string{"", "\x00\x00\x00"} {
			records, damaged := parse(append(bytes.Clone(whole[:cut]), tail...))
			lines := bytes.Count(whole[:cut], []byte("\n"))
			torn := cut > 0 && whole[cut-1] != '\n' || tail != ""
			if len(records) != lines || (damaged == 1) != torn || damaged > 1 {
				t.Errorf("cut at %d: %d entries of %d, %d damaged", cut, len(records), lines, damaged)
			}
		}
	}
}

// TestAddAfterCrash: what is added does not stick to the torn line.
func TestAddAfterCrash(t *testing.T) {
	whole, path := written(t), newPath(t)
	if err := os.WriteFile(path, whole[:len(whole)-1], 0o600); err != nil {
		t.Fatal(err)
	}
	j := open(t, path)
	if j.Damaged() != 1 {
		t.Errorf("%d damaged lines", j.Damaged())
	}
	add(t, j, denied(phone, time.Now()))
	closeJournal(t, j)
	if n := len(onDisk(t, path)); n != 3 {
		t.Errorf("%d entries, want two whole ones and the new one", n)
	}
}

// TestCrashInRewrite: what a rewrite left behind when it was cut is not looked at.
func TestCrashInRewrite(t *testing.T) {
	path := newPath(t)
	whole := written(t)
	for name, data := range map[string][]byte{path: whole, filepath.Join(filepath.Dir(path), ".journal.jsonl.tmp-1"): whole[:100]} {
		if err := os.WriteFile(name, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	j := open(t, path)
	defer closeJournal(t, j)
	if n := len(j.Entries(nobody, time.Time{})); n != 3 || j.Damaged() != 0 {
		t.Errorf("%d entries, %d damaged", n, j.Damaged())
	}
}

func TestParse(t *testing.T) {
	good := `{"at":"2026-03-01T12:00:00Z","event":"opened","times":1}`
	for line, want := range map[string]bool{
		good:                                    true,
		strings.Replace(good, "Z", "+01:00", 1): true,
		strings.Replace(good, ":00Z", ":00.5Z", 1):                  false,
		strings.Replace(good, "2026-03-01", "2026-13-01", 1):        false,
		strings.Replace(good, "opened", "", 1):                      false,
		strings.Replace(good, "opened", "Home net", 1):              false,
		strings.Replace(good, `"times":1`, `"times":0`, 1):          false,
		strings.Replace(good, `"times":1`, `"times":1,"more":1`, 1): false,
		strings.Replace(good, `}`, `,"device":"abc"}`, 1):           false,
		strings.Replace(good, `}`, `,"reasons":["a","B"]}`, 1):      false,
		`{}`:        false,
		`null`:      false,
		`[]`:        false,
		``:          false,
		good + good: false,
		"\r":        false,
	} {
		records, damaged := parse([]byte(line + "\n" + good + "\n"))
		if ok := damaged == 0; ok != want || len(records) != 2-damaged {
			t.Errorf("%q: %d records, %d damaged", line, len(records), damaged)
		}
	}
}
