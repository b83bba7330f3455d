package journal

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/lethe-relay/lethe/internal/statefile"
)

// file is the journal's copy on the disk.
type file struct {
	path string
	size int64 // as we left it
}

// read returns the records of the file, and how many of its lines were none. A missing
// file is an empty one.
func (f *file) read() (records []record, damaged int, err error) {
	info, err := os.Lstat(f.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, 0, nil
	}
	if err == nil && !info.Mode().IsRegular() {
		return nil, 0, fmt.Errorf("can't use %s as the journal: it is not a regular file; remove it", f.path)
	}
	data, err := statefile.Read(f.path)
	if err != nil {
		return nil, 0, err
	}
	records, damaged = parse(data)
	f.size = int64(len(data))
	return records, damaged, nil
}

// parse reads lines, and counts those that are not as newRecord writes them.
func parse(data []byte) (records []record, damaged int) {
	for line := range bytes.Lines(data) {
		if r, ok := parseLine(bytes.TrimSuffix(line, []byte("\n"))); ok && bytes.HasSuffix(line, []byte("\n")) {
			records = append(records, r)
		} else {
			damaged++
		}
	}
	return records, damaged
}

// intact tells whether the file is still the one that was left here.
func (f *file) intact() bool {
	info, err := os.Lstat(f.path)
	return err == nil && info.Mode().IsRegular() && info.Size() == f.size
}

// append adds lines and brings them to the disk. After an error the file is not
// intact, unless nothing was written.
func (f *file) append(lines []byte) error {
	out, err := os.OpenFile(f.path, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return explain(err)
	}
	_, err = out.Write(lines)
	if err == nil {
		err = out.Sync()
	}
	if closed := out.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return explain(err)
	}
	f.size += int64(len(lines))
	return nil
}

// replace makes lines the whole file. A symbolic link is replaced, not followed.
func (f *file) replace(lines []byte) error {
	if err := statefile.Write(f.path, lines); err != nil {
		return explain(err)
	}
	f.size = int64(len(lines))
	return nil
}

func explain(err error) error {
	return fmt.Errorf("the journal's last entries are in memory only, and will be written when that works again: %w", err)
}
