package pin

import (
	"errors"
	"io/fs"
	"os"
	"sync"
)

// known is what was last found in the PIN's file, so that it is read only when it
// has changed.
type known struct {
	mu   sync.Mutex
	file fs.FileInfo // nil: nothing was found yet
	set  bool
}

// IsSet tells whether there is a PIN that can be checked now. One that can't be read
// is none. Why not is an error, for the log: of a file that is damaged or not
// private it is returned once, until the file changes.
func (c *Checker) IsSet() (bool, error) {
	c.known.mu.Lock()
	defer c.known.mu.Unlock()
	file, err := os.Stat(c.path)
	if errors.Is(err, fs.ErrNotExist) {
		c.known.file = nil
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if c.known.file != nil && unchanged(c.known.file, file) {
		return c.known.set, nil
	}
	_, err = load(c.path)
	c.known.file, c.known.set = file, err == nil
	if errors.Is(err, ErrNotSet) { // removed since
		err = nil
	}
	return c.known.set, err
}

// unchanged tells whether both are of one file that nobody has written to. Write
// replaces files, so the name of another PIN is that of another file.
func unchanged(a, b fs.FileInfo) bool {
	return os.SameFile(a, b) && a.ModTime().Equal(b.ModTime()) && a.Size() == b.Size() && a.Mode() == b.Mode()
}
