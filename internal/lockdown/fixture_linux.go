package lockdown

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// A fixture is what the self-test tries things on, made while it still could be. Its descriptor stays open as long
// as the process lives: what was opened before a lockdown is what a lockdown must stop. There is no
// socket in it: one that is open can be sent by, which the lockdown does not stop.
type fixture struct {
	file    int    // a memfd, which writes take for a regular file; it never has a byte in it
	scratch string // a file that does not exist unless an attempt to create it worked, which removes it

	abi   int    // of Landlock, as put in force
	probe string // a directory that could be opened before
}

// openDir are the flags that a directory is opened with. The filter lets these pass.
const openDir = unix.O_RDONLY | unix.O_DIRECTORY | unix.O_CLOEXEC

func newFixture() (*fixture, error) {
	file, err := memfd()
	if err != nil {
		return nil, fmt.Errorf("the lockdown's self-test can't open what it needs (%w): if systemd or a container filters system calls, let memfd_create through", err)
	}
	return &fixture{file: file, scratch: scratch()}, nil
}

// scratch names a file below the temporary folder. Under a lockdown it can no longer be seen whether there is one.
func scratch() string {
	dir := os.TempDir()
	if _, err := os.Stat(dir); err != nil { // an image without /tmp: a file that can't be there proves nothing
		dir = "/"
	}
	return filepath.Join(dir, fmt.Sprintf(".lethe-self-test-%d", os.Getpid()))
}

// memfd makes a file in memory. Kernels may insist that it is not executable, or not know the flag that says so.
func memfd() (int, error) {
	fd, err := unix.MemfdCreate("lethe-self-test", unix.MFD_CLOEXEC|unix.MFD_NOEXEC_SEAL)
	if errors.Is(err, unix.EINVAL) {
		fd, err = unix.MemfdCreate("lethe-self-test", unix.MFD_CLOEXEC)
	}
	return fd, err
}

func (f *fixture) close() { unix.Close(f.file) }

// chooseProbe finds a directory that can be opened now and will not be permitted.
func (f *fixture) chooseProbe(needs Needs) error {
	for _, dir := range []string{"/", "/proc", "/dev", "/usr"} {
		permitted := false
		for _, need := range needs.ReadDirs {
			permitted = permitted || strings.HasPrefix(dir+"/", filepath.Clean(need)+"/")
		}
		if f.probe = dir; !permitted && openDirectory(f) == nil {
			return nil
		}
	}
	return errors.New("there is no directory to try Landlock on: this user can open none of /, /proc, /dev and /usr")
}
