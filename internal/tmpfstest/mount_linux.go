package tmpfstest

import (
	"os"
	"runtime"
	"syscall"
	"testing"
)

// Mount mounts a tmpfs with these options, such as "size=64k", for the rest of
// the test. The mount is in a namespace of the test's own thread: it is gone
// with the thread, and nobody else ever sees it. Where that can't be done the
// test is skipped and says why.
func Mount(t *testing.T, options string) (dir string) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root, to have a real disk that is full")
	}
	runtime.LockOSThread() // never unlocked: the thread ends with the test
	if err := syscall.Unshare(syscall.CLONE_NEWNS); err != nil {
		t.Skipf("needs a mount namespace: %v", err)
	}
	if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
		t.Skipf("needs a private mount namespace: %v", err)
	}
	dir = t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, options); err != nil {
		t.Skipf("needs to mount a tmpfs: %v", err)
	}
	t.Cleanup(func() { syscall.Unmount(dir, syscall.MNT_DETACH) })
	return dir
}
