package archtest

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

func fileRules() []rule {
	return []rule{
		{"layout", "a folder is a role in the picture device, relay, router; ARCHITECTURE.md draws it", layout},
		{"machine_paths", "what names a place on the machine it was written on works nowhere else", machinePaths},
	}
}

// layout compares the top-level folders with those of the design. Hidden ones are tools' own.
func layout(t *tree) (looked int, broken []finding) {
	want := []string{"cmd", "relay", "tunnel", "auth", "internal", "bench", "deploy"}
	var got []string
	for _, name := range t.files {
		top, _, isDir := strings.Cut(name, "/")
		if isDir && !strings.HasPrefix(top, ".") && !slices.Contains(got, top) {
			got = append(got, top)
		}
	}
	for _, dir := range got {
		if !slices.Contains(want, dir) {
			broken = append(broken, finding{dir, "is a folder that the design does not have"})
		}
	}
	for _, dir := range want {
		if !slices.Contains(got, dir) {
			broken = append(broken, finding{dir, "is missing: the design has such a folder"})
		}
	}
	return len(got), broken
}

// machinePath is an absolute path into a home folder, not the middle of a longer path.
var machinePath = regexp.MustCompile(`(^|[^\w.$})~-])/(root|Users)/`)

func machinePaths(t *tree) (looked int, broken []finding) {
	for _, name := range t.files {
		data, err := t.read(name)
		if err != nil || !utf8.Valid(data) || bytes.IndexByte(data, 0) >= 0 { // not text
			continue
		}
		looked++
		if at := machinePath.FindIndex(data); at != nil {
			line := 1 + bytes.Count(data[:at[1]], []byte("\n"))
			broken = append(broken, finding{name, fmt.Sprintf("line %d names a path of one machine: %q", line, data[at[0]:at[1]])})
		}
	}
	return looked, broken
}
