package lockdown

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// A fixture is what the self-test tries things on, made while it still could be. Descriptors stay open
// as long as the process lives: what was opened before a lockdown is what a lockdown must stop.
type fixture struct {
	file     int // a memfd, which writes take for a regular file; it never has a byte in it
	tcp, udp int // never bound, never connected

	abi   int    // of Landlock, as put in force
	probe string // a directory that could be opened before
}

// openDir are the flags that a directory is opened with. The filter lets these pass.
const openDir = unix.O_RDONLY | unix.O_DIRECTORY | unix.O_CLOEXEC

func newFixture() (*fixture, error) {
	f := &fixture{file: -1, tcp: -1, udp: -1}
	var errs [3]error
	f.file, errs[0] = memfd()
	f.tcp, errs[1] = unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	f.udp, errs[2] = unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err := errors.Join(errs[:]...); err != nil {
		f.close()
		return nil, fmt.Errorf("the lockdown's self-test can't open what it needs (%w): if systemd or a container filters system calls, let memfd_create and socket through", err)
	}
	return f, nil
}

// memfd makes a file in memory. Kernels may insist that it is not executable, or not know the flag that says so.
func memfd() (int, error) {
	fd, err := unix.MemfdCreate("lethe-self-test", unix.MFD_CLOEXEC|unix.MFD_NOEXEC_SEAL)
	if errors.Is(err, unix.EINVAL) {
		fd, err = unix.MemfdCreate("lethe-self-test", unix.MFD_CLOEXEC)
	}
	return fd, err
}

func (f *fixture) close() {
	for _, fd := range []int{f.file, f.tcp, f.udp} {
		if fd >= 0 {
			unix.Close(fd)
		}
	}
}

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
