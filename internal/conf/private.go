package conf

import (
	"fmt"
	"os"
	"runtime"
)

// CheckPrivate returns an error if others than the owner may use the file at path, or if it
// cannot tell. It is for files that hold secrets. Windows has no such mode bits: there it only
// looks for the file.
func CheckPrivate(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("cannot tell who may read the configuration: %w", err)
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 && runtime.GOOS != "windows" {
		return fmt.Errorf("%s holds secrets, and others may use it (mode %04o); run: chmod 600 %s", path, mode, path)
	}
	return nil
}
