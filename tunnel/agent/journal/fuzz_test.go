package journal

import (
	"bytes"
	"os"
	"testing"
)

// Threat: flash that rots, and a person with an editor. Whatever the file holds,
// reading it must not panic; each line is an entry or damaged; and what was
// read is written as it will be read again.
func FuzzParse(f *testing.F) {
	if seeds, err := os.ReadDir("testdata/fuzz/FuzzParse"); err != nil || len(seeds) == 0 {
		f.Fatal("there are no seeds to start from")
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		records, damaged := parse(data)
		lines := bytes.Count(data, []byte("\n"))
		if len(data) > 0 && data[len(data)-1] != '\n' {
			lines++
		}
		if len(records)+damaged != lines {
			t.Fatalf("%d lines are %d entries and %d damaged", lines, len(records), damaged)
		}
		var again []byte
		for _, r := range records {
			again = append(again, r.line...)
		}
		same, damaged := parse(again)
		if len(same) != len(records) || damaged != 0 {
			t.Fatalf("%q: written again, %d entries of %d are read and %d are damaged", again, len(same), len(records), damaged)
		}
		for i := range same {
			if !bytes.Equal(same[i].line, records[i].line) {
				t.Fatalf("%q became %q", records[i].line, same[i].line)
			}
		}
	})
}
