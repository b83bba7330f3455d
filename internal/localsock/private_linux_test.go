package localsock

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// TestListenIsNeverOpen: at no time is there a socket at the path, or anywhere else
// where others can come, that is not private yet: what appears at the path is moved
// there, and the mode of nothing in the directory changes.
func TestListenIsNeverOpen(t *testing.T) {
	dir := t.TempDir()
	watch, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(watch)
	if _, err := unix.InotifyAddWatch(watch, dir, unix.IN_CREATE|unix.IN_ATTRIB|unix.IN_MOVED_TO); err != nil {
		t.Fatal(err)
	}
	l, err := Listen(filepath.Join(dir, "test.sock"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	moved := false
	for _, e := range events(t, watch) {
		switch {
		case e.mask&unix.IN_CREATE != 0 && e.mask&unix.IN_ISDIR == 0:
			t.Errorf("%s was made where others can come", e.name)
		case e.mask&unix.IN_ATTRIB != 0 && e.mask&unix.IN_ISDIR == 0:
			t.Errorf("the mode of %s was changed where others can come", e.name)
		case e.mask&unix.IN_MOVED_TO != 0:
			moved = moved || e.name == "test.sock"
		}
	}
	if !moved {
		t.Error("the socket was not moved to its path")
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 1 {
		t.Errorf("the directory has %v, %v; want the socket alone", left, err)
	}
}

type event struct {
	mask uint32
	name string
}

// events are those that have happened.
func events(t *testing.T, watch int) (all []event) {
	t.Helper()
	buf := make([]byte, 16<<10)
	n, err := unix.Read(watch, buf)
	if err != nil {
		t.Fatal(err)
	}
	for b := buf[:n]; len(b) >= unix.SizeofInotifyEvent; {
		raw := (*unix.InotifyEvent)(unsafe.Pointer(&b[0]))
		end := unix.SizeofInotifyEvent + int(raw.Len)
		all = append(all, event{raw.Mask, strings.TrimRight(string(b[unix.SizeofInotifyEvent:end]), "\x00")})
		b = b[end:]
	}
	return all
}
