package statefile

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

func TestWriteRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	for _, data := range [][]byte{[]byte("first"), {}, bytes.Repeat([]byte("x"), MaxSize), []byte("last")} {
		if err := Write(path, data); err != nil {
			t.Fatal(err)
		}
		got, err := Read(path)
		if err != nil || !bytes.Equal(got, data) {
			t.Fatalf("read %d bytes, %v; want the %d written", len(got), err, len(data))
		}
		wantMode(t, path, 0o600)
	}
	wantOnly(t, filepath.Dir(path), "key")
}

// TestWriteTightens: a file that was open to others is private afterwards.
func TestWriteTightens(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	put(t, path, "old", 0o644)
	if err := Write(path, []byte("new")); err != nil {
		t.Fatal(err)
	}
	wantMode(t, path, 0o600)
}

// TestWriteReplacesLink: what a link points to is not ours to change.
func TestWriteReplacesLink(t *testing.T) {
	dir := t.TempDir()
	target, link := filepath.Join(dir, "target"), filepath.Join(dir, "key")
	put(t, target, "untouched", 0o600)
	if err := os.Symlink(target, link); err != nil {
		t.Fatal(err)
	}
	if err := Write(link, []byte("new")); err != nil {
		t.Fatal(err)
	}
	wantContent(t, target, "untouched")
	wantContent(t, link, "new")
}

func TestWriteRelative(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := Write("key", []byte("x")); err != nil {
		t.Fatal(err)
	}
	wantOnly(t, ".", "key")
}

func TestWriteFailsWhole(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "key")
	put(t, path, "old", 0o600)
	if err := Write(path, make([]byte, MaxSize+1)); !errors.Is(err, ErrTooLarge) {
		t.Errorf("huge data: %v, want ErrTooLarge", err)
	}
	if err := Write(filepath.Join(dir, "none", "key"), nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing directory: %v, want fs.ErrNotExist", err)
	}
	if err := Write(filepath.Join(path, "key"), nil); err == nil || !strings.Contains(err.Error(), "a part of the path is a file") {
		t.Errorf("file as directory: %v", err)
	}
	if err := os.Mkdir(filepath.Join(dir, "sub"), 0o700); err != nil {
		t.Fatal(err)
	}
	err := Write(filepath.Join(dir, "sub"), []byte("x"))
	if err == nil || strings.Contains(err.Error(), ".tmp-") {
		t.Errorf("directory as file: %v, want an error without the temporary name", err)
	}
	wantContent(t, path, "old")
	wantOnly(t, dir, "key", "sub")
}

// TestConcurrentWriters: readers see one whole file or another at any time.
func TestConcurrentWriters(t *testing.T) {
	const writers, rounds, size = 4, 20, 8 << 10
	dir := t.TempDir()
	path := filepath.Join(dir, "key")
	put(t, path, strings.Repeat("z", size), 0o600)
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for range rounds {
				if err := Write(path, bytes.Repeat([]byte{'a' + byte(w)}, size)); err != nil {
					t.Error(err)
				}
			}
		})
		wg.Go(func() {
			for range rounds {
				data, err := Read(path)
				if err != nil || len(data) != size || bytes.Count(data, data[:1]) != size {
					t.Errorf("read %d mixed bytes, %v; want %d of one kind", len(data), err, size)
				}
			}
		})
	}
	wg.Wait()
	wantOnly(t, dir, "key")
}

func TestReadRefuses(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "key")
	if _, err := Read(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing file: %v, want fs.ErrNotExist", err)
	}
	put(t, path, "secret", 0o600)
	for _, mode := range []fs.FileMode{0o640, 0o604, 0o660, 0o644, 0o610} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		if _, err := Read(path); !errors.Is(err, ErrNotPrivate) || !strings.HasSuffix(err.Error(), "chmod 600 "+path) {
			t.Errorf("mode %v: %v, want ErrNotPrivate and how to mend it", mode, err)
		}
	}
	put(t, path, strings.Repeat("x", MaxSize+1), 0o600)
	if _, err := Read(path); !errors.Is(err, ErrTooLarge) {
		t.Errorf("huge file: %v, want ErrTooLarge", err)
	}
	if _, err := Read(dir); err == nil || !strings.Contains(err.Error(), "it is a directory") {
		t.Errorf("directory: %v", err)
	}
	if _, err := Read(os.DevNull); err == nil || !strings.Contains(err.Error(), "it is a device") {
		t.Errorf("device: %v", err)
	}
}

func TestMkdirPrivate(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	for range 2 {
		if err := MkdirPrivate(dir); err != nil {
			t.Fatal(err)
		}
		wantMode(t, dir, fs.ModeDir|0o700)
		wantMode(t, filepath.Dir(dir), fs.ModeDir|0o700)
	}
	for mode, private := range map[fs.FileMode]bool{0o755: true, 0o775: false, 0o757: false, 0o777: false} {
		if err := os.Chmod(dir, mode); err != nil {
			t.Fatal(err)
		}
		if err := MkdirPrivate(dir); private != (err == nil) || !private && !errors.Is(err, ErrNotPrivate) {
			t.Errorf("mode %v: %v, want allowed %v", mode, err, private)
		}
		wantMode(t, dir, fs.ModeDir|mode)
	}
	file := filepath.Join(dir, "file")
	put(t, file, "", 0o600)
	if err := MkdirPrivate(file); err == nil || !strings.Contains(err.Error(), "a part of the path is a file") {
		t.Errorf("file in the way: %v", err)
	}
}

func put(t *testing.T, path, data string, mode fs.FileMode) {
	t.Helper()
	if err := os.WriteFile(path, []byte(data), mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil { // the umask and an older file have no say
		t.Fatal(err)
	}
}

func wantContent(t *testing.T, path, want string) {
	t.Helper()
	if got, err := os.ReadFile(path); err != nil || string(got) != want {
		t.Errorf("%s holds %.20q, %v; want %.20q", path, got, err, want)
	}
}

func wantMode(t *testing.T, path string, want fs.FileMode) {
	t.Helper()
	info, err := os.Lstat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode() != want {
		t.Errorf("%s has mode %v, want %v", path, info.Mode(), want)
	}
}

// wantOnly checks that nothing else is in dir: no temporary file.
func wantOnly(t *testing.T, dir string, want ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		got = append(got, e.Name())
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%s holds %v, want %v", dir, got, want)
	}
}
