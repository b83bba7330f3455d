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

func environment(mode Mode, warn func(string)) error {
	object := objector(mode, warn)
	var errs []error
	for _, sentence := range objections(mode, os.Environ()) { // in the first process alone: the next one has them not
		errs = append(errs, object(errors.New(sentence)))
	}
	errs = append(errs, object(closeStrays()))
	if err := stdoutFits(); err != nil && (mode == Require || isFit(os.Environ())) {
		errs = append(errs, object(fmt.Errorf("%w: %s", err, stdoutMend(mode))))
	}
	if err := errors.Join(errs...); err != nil || isFit(os.Environ()) {
		return err
	}
	return object(fmt.Errorf("the program can't execute itself anew, to have the Go runtime started with GOTRACEBACK=none and GODEBUG=clobberfree=1: %w: start it with these variables",
		syscall.Exec(programPath(), os.Args, fitEnvironment(os.Environ()))))
}

// objector gives the error back with Require, and otherwise has it said as a warning.
func objector(mode Mode, warn func(string)) func(error) error {
	return func(err error) error {
		if err != nil && mode != Require {
			warn(err.Error())
			return nil
		}
		return err
	}
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
			return fmt.Errorf("%s is a regular file, and under the lockdown nothing can be written to one", name)
		}
	}
	return nil
}

// stdoutMend says what to do about it.
func stdoutMend(mode Mode) string {
	mend := "pipe it instead (2>&1 | cat >>FILE), or use the journal"
	if mode == Prefer {
		return mend + "; as it is, the relay runs without " + FileSizeZero
	}
	return mend + `, or set "lockdown: prefer" in relay.yaml`
}

// closeStrays closes what this program has not opened itself: everything that Go opens is marked to be closed
// when a program is executed, so whatever is open without the mark was handed down.
func closeStrays() error {
	entries, err := os.ReadDir(opened)
	if err != nil {
		return fmt.Errorf("descriptors that were left open can't be found (%w): mount /proc", err)
	}
	for _, entry := range entries {
		fd, err := strconv.Atoi(entry.Name())
		if err != nil || fd < 3 {
			continue
		}
		if flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err == nil && flags&unix.FD_CLOEXEC == 0 {
			unix.Close(fd)
		}
	}
	return nil
}
