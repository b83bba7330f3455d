package lockdown

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

const (
	program = "/proc/self/exe"
	opened  = "/proc/self/fd"
)

func environment(mode Mode) (warnings []string, err error) {
	warnings = objections(os.Environ())
	if err := stdoutFits(); err != nil {
		warnings = append(warnings, err.Error())
	}
	if err := closeStrays(); err != nil {
		warnings = append(warnings, err.Error())
	}
	if mode == Require && len(warnings) > 0 {
		var errs []error
		for _, w := range warnings {
			errs = append(errs, errors.New(w))
		}
		return nil, errors.Join(errs...)
	}
	if isFit(os.Environ()) {
		return warnings, nil
	}
	err = fmt.Errorf("the program can't execute itself anew, to have the Go runtime started with GOTRACEBACK=none and GODEBUG=clobberfree=1: %w: start it with these variables",
		syscall.Exec(programPath(), os.Args, fitEnvironment(os.Environ())))
	if mode == Require {
		return nil, err
	}
	return append(warnings, err.Error()), nil
}

// programPath is the program's name, if that is still the file that runs: by it, and not as "exe", the process is
// found in lists.
func programPath() string {
	path, err := os.Executable()
	if err != nil {
		return program
	}
	named, err := os.Stat(path)
	if err != nil {
		return program
	}
	if running, err := os.Stat(program); err != nil || !os.SameFile(named, running) {
		return program
	}
	return path
}

// stdoutFits is an error if stdout or stderr is a regular file.
func stdoutFits() error {
	for fd, name := range []string{1: "stdout", 2: "stderr"} {
		var st unix.Stat_t
		if err := unix.Fstat(fd, &st); err == nil && name != "" && st.Mode&unix.S_IFMT == unix.S_IFREG {
			return fmt.Errorf(`%s is a regular file, and under the lockdown nothing can be written to one: pipe it instead (2>&1 | cat >>FILE), use the journal, or set "lockdown: prefer" in relay.yaml`, name)
		}
	}
	return nil
}

// closeStrays closes what this program has not opened itself: everything that Go opens is marked to be closed
// when a program is executed, so whatever is open without the mark was handed down.
func closeStrays() error {
	entries, err := os.ReadDir(opened)
	if err != nil {
		return fmt.Errorf("descriptors that were left open can't be found (%w): mount /proc", err)
	}
	first := 3 + activated()
	for _, entry := range entries {
		fd, err := strconv.Atoi(entry.Name())
		if err != nil || fd < first {
			continue
		}
		if flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err == nil && flags&unix.FD_CLOEXEC == 0 {
			unix.Close(fd)
		}
	}
	return nil
}

// activated is the number of sockets that systemd has opened for this process, from descriptor 3.
func activated() int {
	if pid, err := strconv.Atoi(os.Getenv("LISTEN_PID")); err != nil || pid != os.Getpid() {
		return 0
	}
	n, err := strconv.Atoi(os.Getenv("LISTEN_FDS"))
	if err != nil || n < 0 {
		return 0
	}
	return n
}
