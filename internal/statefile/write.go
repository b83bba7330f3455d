package statefile

import (
	"fmt"
	"os"
	"path/filepath"
)

// MaxSize is the size in bytes of the largest file that Write writes and Read reads. State files
// are keys and short lists; what is larger is something else, and is not loaded into memory.
const MaxSize = 1 << 20

// Write puts data into the file at path with mode 0600, whether it exists or not. A symbolic link
// at path is replaced, not followed. The directory must exist. When Write fails the old content
// is intact, unless the error says otherwise: only the last step comes after the replacement.
func Write(path string, data []byte) error {
	if len(data) > MaxSize {
		return fmt.Errorf("can't write %s: %d bytes are %w; the limit is %d", path, len(data), ErrTooLarge, MaxSize)
	}
	dir, name := filepath.Split(filepath.Clean(path))
	if dir == "" {
		dir = "."
	}
	f, err := os.CreateTemp(dir, "."+name+".tmp-*") // mode 0600
	if err != nil {
		return explain("write", path, err)
	}
	if err := fill(f, data); err != nil {
		os.Remove(f.Name()) // the first error is the one to report
		return explain("write", path, err)
	}
	if err := os.Rename(f.Name(), path); err != nil {
		os.Remove(f.Name())
		return explain("replace", path, err)
	}
	if err := syncDir(dir); err != nil {
		return explain("be sure that a power cut does not undo the change of", path, err)
	}
	return nil
}

// fill writes data to f and brings it to the disk. It closes f in any case.
func fill(f *os.File, data []byte) error {
	_, err := f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	return err
}
