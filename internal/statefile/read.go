package statefile

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"runtime"
)

// Read returns the content of the file at path. A missing file gives an error that wraps
// [fs.ErrNotExist]. A file that others than its owner may use is refused with ErrNotPrivate: the
// secret in it may be known already, and whoever reads the error can decide.
func Read(path string) ([]byte, error) {
	f, err := open(path)
	if err != nil {
		return nil, explain("read", path, err)
	}
	defer f.Close()
	if err := checkFile(f, path); err != nil {
		return nil, err
	}
	data, err := io.ReadAll(io.LimitReader(f, MaxSize+1))
	if err != nil {
		return nil, explain("read", path, err)
	}
	if len(data) > MaxSize {
		return nil, fmt.Errorf("can't read %s: the file is %w; the limit is %d bytes, so it is no file of ours", path, ErrTooLarge, MaxSize)
	}
	return data, nil
}

// checkFile looks at the open file, not at the path, which may have come to mean another one.
func checkFile(f *os.File, path string) error {
	info, err := f.Stat()
	if err != nil {
		return explain("read", path, err)
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("can't read %s: it is a %s, not a file", path, kindOf(info.Mode()))
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 && hasModes() {
		return fmt.Errorf("can't use %s: it is %w (mode %04o); if nobody else can have read it, run: chmod 600 %s",
			path, ErrNotPrivate, mode, path)
	}
	return nil
}

// MkdirPrivate makes the directory dir, and the missing ones above it, with mode 0700. A directory that exists is
// left as it is, but refused with ErrNotPrivate if others than its owner may write to it:
// they could replace what is in it.
func MkdirPrivate(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return explain("make the directory", dir, err)
	}
	info, err := os.Stat(dir)
	if err != nil {
		return explain("look at", dir, err)
	}
	if mode := info.Mode().Perm(); mode&0o022 != 0 && hasModes() {
		return fmt.Errorf("can't use the directory %s: it is %w, others may write to it (mode %04o); run: chmod 700 %s, or choose another directory",
			dir, ErrNotPrivate, mode, dir)
	}
	return nil
}

// hasModes says whether the mode bits of files mean something on this system.
func hasModes() bool { return runtime.GOOS != "windows" }

func kindOf(mode fs.FileMode) string {
	switch {
	case mode.IsDir():
		return "directory"
	case mode&fs.ModeNamedPipe != 0:
		return "pipe"
	case mode&fs.ModeSocket != 0:
		return "socket"
	}
	return "device"
}
