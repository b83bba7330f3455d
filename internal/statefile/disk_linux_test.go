package statefile

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/lethe-relay/lethe/internal/tmpfstest"
)

// TestFullDisk fills a real file system. What was there stays, nothing is left over, and once there is
// room again the same call succeeds.
func TestFullDisk(t *testing.T) {
	dir := tmpfstest.Mount(t, "size=64k")
	path, filler := filepath.Join(dir, "key"), filepath.Join(dir, "filler")
	if err := Write(path, []byte("old")); err != nil {
		t.Fatal(err)
	}
	for _, size := range []int{40 << 10, 64 << 10} { // a disk with some room, and one without any
		os.WriteFile(filler, make([]byte, size), 0o600) // the second fails when the disk is full, as it should
		err := Write(path, bytes.Repeat([]byte("new"), 8<<10))
		if !errors.Is(err, syscall.ENOSPC) {
			t.Fatalf("got %v, want ENOSPC", err)
		}
		wantText(t, err, "can't write "+path+": no space left on device; free some space on that disk and try again")
		wantContent(t, path, "old")
		wantOnly(t, dir, "filler", "key")
	}
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	if err := Write(path, []byte("new")); err != nil {
		t.Fatal(err)
	}
	wantContent(t, path, "new")
}

// TestLockFullDisk: the lock needs no room, so that a full disk does not keep a program from starting.
func TestLockFullDisk(t *testing.T) {
	dir := tmpfstest.Mount(t, "size=16k")
	put(t, filepath.Join(dir, lockName), "", 0o600)
	os.WriteFile(filepath.Join(dir, "filler"), make([]byte, 64<<10), 0o600) // fails when the disk is full, as it should
	unlock, err := Lock(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	if _, err := Lock(dir); !errors.Is(err, ErrLocked) {
		t.Errorf("second lock: %v, want ErrLocked", err)
	}
}

func TestReadOnlyDisk(t *testing.T) {
	dir := tmpfstest.Mount(t, "size=64k")
	path := filepath.Join(dir, "key")
	if err := Write(path, []byte("old")); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", dir, "tmpfs", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err != nil {
		t.Fatal(err)
	}
	const hint = "read-only file system; choose a directory on a disk that can be written to, or remount this one"
	wantText(t, Write(path, []byte("new")), "can't write "+path+": "+hint)
	wantText(t, MkdirPrivate(filepath.Join(dir, "sub")), "can't make the directory "+dir+"/sub: "+hint)
	_, err := Lock(dir)
	wantText(t, err, "can't lock "+dir+": "+hint)
	wantContent(t, path, "old")
}

// TestNoPermission works as another user on this thread alone.
func TestNoPermission(t *testing.T) {
	needRoot(t)
	dir := t.TempDir()
	path := filepath.Join(dir, "key")
	put(t, path, "old", 0o600)
	const nobody = 65534
	runtime.LockOSThread() // never unlocked: the thread ends with the test
	if err := syscall.Setfsuid(nobody); err != nil {
		t.Fatal(err)
	}
	writeErr := Write(path, []byte("new"))
	_, readErr := Read(path)
	if err := syscall.Setfsuid(0); err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{writeErr, readErr} {
		if !errors.Is(err, fs.ErrPermission) {
			t.Fatalf("got %v, want fs.ErrPermission", err)
		}
	}
	wantText(t, writeErr, "can't write "+path+": permission denied; run as the user who owns the directory, or choose another directory")
	wantContent(t, path, "old")
	wantOnly(t, dir, "key")
}

func wantText(t *testing.T, err error, want string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

func needRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root, to have a real disk that is full, read-only or another user's")
	}
}
