package observe

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/procfs"
	"golang.org/x/sys/unix"
)

// Files listens for file events.
type Files struct {
	group   *Group
	allowed []string
	file    *os.File
	done    chan struct{}
	result  Result
	strange map[int][]string // what was done by processes that were gone when we looked

	others     map[int]bool // living processes that are none of ours
	othersTill time.Time    // process numbers are used again
}

const (
	fileEvents  = unix.FAN_OPEN | unix.FAN_OPEN_EXEC | unix.FAN_MODIFY | unix.FAN_CLOSE_WRITE | unix.FAN_ONDIR
	settle      = 200 * time.Millisecond // for events that are under way
	maxStrange  = 10_000                 // events of the dead that are remembered
	eventBuffer = 64 << 10
)

// WatchFiles listens on every mounted file system that can be marked, as the process sees
// them. Findings: files which a process of the group has opened or changed, but for
// those in allowed (exact paths, or folders if they end in a slash), which may be opened.
func WatchFiles(g *Group, allowed []string) *Files {
	f := &Files{group: g, allowed: allowed, done: make(chan struct{}), strange: make(map[int][]string)}
	fd, err := unix.FanotifyInit(unix.FAN_CLASS_NOTIF|unix.FAN_CLOEXEC|unix.FAN_NONBLOCK|unix.FAN_UNLIMITED_QUEUE|unix.FAN_UNLIMITED_MARKS,
		unix.O_RDONLY|unix.O_LARGEFILE|unix.O_CLOEXEC)
	if err != nil {
		f.result.blind(DetectorFileEvents, fmt.Sprintf("the kernel gives no file events (fanotify): %v", err))
		close(f.done)
		return f
	}
	f.file = os.NewFile(uintptr(fd), "fanotify")
	f.mark(fd)
	go f.listen()
	return f
}

// mark marks each file system once.
func (f *Files) mark(fd int) {
	mounts, err := procfs.GetProcMounts(f.group.pid)
	if err != nil {
		f.result.gap(DetectorFileEvents, fmt.Sprintf("the mounts of the process can't be read: %v", err))
	}
	marked := make(map[string]bool)
	for _, m := range mounts {
		if marked[m.MajorMinorVer] || slices.Contains(withoutFiles(), m.FSType) {
			continue
		}
		path := filepath.Join(proc(f.group.pid, "root"), m.MountPoint)
		err := unix.FanotifyMark(fd, unix.FAN_MARK_ADD|unix.FAN_MARK_FILESYSTEM, fileEvents, unix.AT_FDCWD, path)
		if err != nil {
			f.result.gap(DetectorFileEvents, fmt.Sprintf("%s (%s) gives no file events: %v", m.MountPoint, m.FSType, err))
			continue
		}
		marked[m.MajorMinorVer] = true
	}
}

// withoutFiles are file systems that are the kernel's own face, and keep nothing.
func withoutFiles() []string {
	return strings.Fields("proc sysfs cgroup cgroup2 devpts nsfs securityfs debugfs tracefs configfs fusectl bpf binfmt_misc autofs rpc_pipefs selinuxfs efivarfs")
}

// Stop waits for the events that are under way and ends.
func (f *Files) Stop() Result {
	if f.file != nil {
		f.file.SetReadDeadline(time.Now().Add(settle))
		<-f.done
		f.file.Close()
	}
	for pid, done := range f.strange {
		if f.group.member(pid) {
			for _, what := range done {
				f.result.found(DetectorFileEvents, what)
			}
		}
	}
	return f.result
}

func (f *Files) listen() {
	defer close(f.done)
	buffer := make([]byte, eventBuffer)
	for {
		n, err := f.file.Read(buffer)
		if err != nil {
			if !errors.Is(err, os.ErrDeadlineExceeded) {
				f.result.gap(DetectorFileEvents, fmt.Sprintf("file events ended before the audit: %v", err))
			}
			return
		}
		for rest := buffer[:n]; len(rest) >= unix.FAN_EVENT_METADATA_LEN; {
			var e unix.FanotifyEventMetadata
			if binary.Read(bytes.NewReader(rest), binary.NativeEndian, &e) != nil || int(e.Event_len) > len(rest) || e.Event_len < unix.FAN_EVENT_METADATA_LEN {
				f.result.gap(DetectorFileEvents, "file events ended before the audit: the kernel sent one that can't be read")
				return
			}
			f.event(e)
			rest = rest[e.Event_len:]
		}
	}
}

func (f *Files) event(e unix.FanotifyEventMetadata) {
	if e.Mask&unix.FAN_Q_OVERFLOW != 0 {
		f.result.gap(DetectorFileEvents, "the kernel lost file events: there were too many")
	}
	if e.Fd < 0 {
		return
	}
	defer unix.Close(int(e.Fd))
	pid, member := int(e.Pid), f.group.member(int(e.Pid))
	gone := !member && unix.Kill(pid, 0) != nil
	if !member && !gone && !f.adopts(pid) {
		return
	}
	path, err := os.Readlink(fmt.Sprintf("/proc/self/fd/%d", e.Fd))
	if err != nil {
		path = "a file whose name can't be told"
	}
	changed := e.Mask&(unix.FAN_MODIFY|unix.FAN_CLOSE_WRITE) != 0
	if !changed && allowed(f.allowed, path) {
		return
	}
	verb := "opened"
	if changed {
		verb = "changed"
	}
	what := fmt.Sprintf("process %d has %s %s", pid, verb, path)
	if !gone {
		f.result.found(DetectorFileEvents, what)
	} else if len(f.strange) < maxStrange && !slices.Contains(f.strange[pid], what) {
		f.strange[pid] = append(f.strange[pid], what)
	}
}

// adopts takes a process into the group whose parent is in it.
func (f *Files) adopts(pid int) bool {
	if now := time.Now(); now.After(f.othersTill) {
		f.others, f.othersTill = make(map[int]bool), now.Add(time.Second)
	}
	if f.others[pid] {
		return false
	}
	f.others[pid] = true
	p, err := procfs.NewProc(pid)
	if err != nil {
		return false
	}
	stat, err := p.Stat()
	return err == nil && f.group.add(pid, stat.PPID)
}
