package observe

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

const corePattern = "/proc/sys/kernel/core_pattern"

// CorePattern tells where core dumps go on this machine: a note.
func CorePattern() (r Result) {
	pattern, err := os.ReadFile(corePattern)
	if err != nil {
		r.gap(DetectorCore, fmt.Sprintf("where core dumps go can't be read: %v", err))
		return r
	}
	r.note(DetectorCore, "core dumps of this machine go to "+strings.TrimSpace(string(pattern)))
	return r
}

// abortWithin is how long a process may take to end by SIGABRT, a dump included.
const abortWithin = 10 * time.Second

// Abort kills the group's first process with SIGABRT, waits until it is gone, and looks whether
// a core file has come to where core_pattern says, into its working folder, or into dirs.
// The caller owns the process and reaps it at the same time; what wait tells
// goes to [Dumped]. Findings: new files there that are named like a core file.
func Abort(ctx context.Context, g *Group, dirs ...string) (r Result) {
	pattern, _ := os.ReadFile(corePattern)
	if strings.HasPrefix(string(pattern), "|") {
		r.gap(DetectorCore, "core dumps are piped to a program here, whose files were not looked for: "+strings.TrimSpace(string(pattern)))
	} else if dir := filepath.Dir(strings.TrimSpace(string(pattern))); filepath.IsAbs(dir) {
		dirs = append(dirs, dir)
	}
	if cwd, err := os.Readlink(proc(g.pid, "cwd")); err == nil {
		dirs = append(dirs, cwd)
	}
	before := coreFiles(dirs)
	if err := abort(ctx, g.pid); err != nil {
		r.blind(DetectorCore, fmt.Sprintf("the process could not be aborted: %v", err))
		return r
	}
	for path, made := range coreFiles(dirs) {
		if before[path] != made {
			r.found(DetectorCore, "the aborted process has left "+path)
		}
	}
	return r
}

// Dumped judges how an aborted process has ended. A finding: its core was dumped.
func Dumped(state *os.ProcessState) (r Result) {
	if status, ok := state.Sys().(interface{ CoreDump() bool }); ok && status.CoreDump() {
		r.found(DetectorCore, "the kernel has dumped the core of the aborted process")
	}
	return r
}

// coreFiles lists what is named like a core file, with the time it was changed.
func coreFiles(dirs []string) map[string]time.Time {
	files := make(map[string]time.Time)
	for _, dir := range dirs {
		entries, _ := os.ReadDir(dir)
		for _, e := range entries {
			if info, err := e.Info(); err == nil && info.Mode().IsRegular() && strings.Contains(e.Name(), "core") {
				files[filepath.Join(dir, e.Name())] = info.ModTime()
			}
		}
	}
	return files
}

// abort sends SIGABRT and waits for the end.
func abort(ctx context.Context, pid int) error {
	handle, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return err
	}
	defer unix.Close(handle)
	if err := unix.PidfdSendSignal(handle, unix.SIGABRT, nil, 0); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, abortWithin)
	defer cancel()
	for ctx.Err() == nil {
		ended := []unix.PollFd{{Fd: int32(handle), Events: unix.POLLIN}} // readable when the process is gone: pidfd_open(2)
		if n, err := unix.Poll(ended, int(sampleEvery.Milliseconds())); n == 1 || err != nil && err != unix.EINTR {
			return err
		}
	}
	return fmt.Errorf("it lives on after SIGABRT: %w", ctx.Err())
}
