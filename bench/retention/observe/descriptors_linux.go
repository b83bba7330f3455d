package observe

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/prometheus/procfs"
	"golang.org/x/sys/unix"
)

// Descriptors samples the open files of a group.
type Descriptors struct {
	group   *Group
	allowed []string
	sampler *sampler
	before  map[string]bool // what was open at the start
	started bool
	result  Result
	count   int
}

// WatchDescriptors takes what is open now as the inventory, and looks every 100 ms
// for what is added. Findings: a regular file or memfd that can be written to (in the first
// inventory too; a memfd without a byte in it is a note, since a self-test may keep one), and whatever is added later, but for allowed files that are read and for sockets,
// which egress looks at. allowed is as in [WatchFiles].
func WatchDescriptors(g *Group, allowed ...string) *Descriptors {
	d := &Descriptors{group: g, allowed: allowed, before: make(map[string]bool)}
	d.sampler = startSampler(sampleEvery, d.look)
	return d
}

// Stop looks once more and ends.
func (d *Descriptors) Stop() Result {
	d.sampler.stop()
	if d.count == 0 {
		d.result.blind(DetectorDescriptors, "no descriptor of the process could be seen: the auditor has to be root")
	}
	return d.result
}

func (d *Descriptors) look() {
	for _, pid := range d.group.PIDs() {
		for _, f := range openFiles(pid) {
			d.count++
			d.judge(pid, f)
		}
	}
	d.started = true
}

func (d *Descriptors) judge(pid int, f openFile) {
	key := fmt.Sprintf("%d %s", pid, f.target)
	known := d.before[key]
	d.before[key] = true
	if f.kind == kindMemfd && f.size == 0 {
		d.result.note(DetectorDescriptors, fmt.Sprintf("process %d has %s open, with nothing in it", pid, f))
		return
	}
	if f.file() && f.writable {
		d.result.found(DetectorDescriptors, fmt.Sprintf("process %d can write to %s (descriptor %s)", pid, f, f.fd))
		return
	}
	switch {
	case known || !d.started || f.kind == kindSocket:
	case f.kind == kindAnonymous:
		d.result.note(DetectorDescriptors, fmt.Sprintf("process %d has opened %s", pid, f))
	case f.kind == kindRegular && allowed(d.allowed, f.target):
	default:
		d.result.found(DetectorDescriptors, fmt.Sprintf("process %d has opened %s since the audit began (descriptor %s)", pid, f, f.fd))
	}
}

// Kinds of open files.
const (
	kindRegular   = "the file"
	kindDeleted   = "the deleted file"
	kindMemfd     = "the memory file"
	kindFolder    = "the folder"
	kindDevice    = "the device"
	kindPipe      = "the pipe"
	kindSocket    = "the socket"
	kindAnonymous = "the kernel object" // eventfd, epoll, timerfd, …
)

type openFile struct {
	fd, target, kind string
	writable         bool
	inode            uint64
	size             int64 // bytes
}

func (f openFile) file() bool {
	return f.kind == kindRegular || f.kind == kindDeleted || f.kind == kindMemfd
}

func (f openFile) String() string { return f.kind + " " + f.target }

// openFiles lists what a process has open; nothing if it is gone.
func openFiles(pid int) (files []openFile) {
	p, err := procfs.NewProc(pid)
	if err != nil {
		return nil
	}
	names, _ := os.ReadDir(proc(pid, "fd"))
	for _, name := range names {
		path := filepath.Join(proc(pid, "fd"), name.Name())
		target, err := os.Readlink(path)
		info, errInfo := p.FDInfo(name.Name())
		if err != nil || errInfo != nil { // closed meanwhile
			continue
		}
		f := openFile{fd: name.Name(), target: target}
		flags, _ := strconv.ParseUint(info.Flags, 8, 64)
		f.writable = flags&unix.O_ACCMODE != unix.O_RDONLY && flags&unix.O_PATH == 0
		var stat unix.Stat_t
		if unix.Stat(path, &stat) == nil {
			f.kind, f.inode, f.size = kindOf(target, stat), stat.Ino, stat.Size
			files = append(files, f)
		}
	}
	return files
}

func kindOf(target string, stat unix.Stat_t) string {
	switch stat.Mode & unix.S_IFMT {
	case unix.S_IFSOCK:
		return kindSocket
	case unix.S_IFIFO:
		return kindPipe
	case unix.S_IFDIR:
		return kindFolder
	case unix.S_IFCHR, unix.S_IFBLK:
		return kindDevice
	}
	switch {
	case strings.HasPrefix(target, "anon_inode:"):
		return kindAnonymous
	case strings.HasPrefix(target, "/memfd:"), strings.HasPrefix(target, "/secretmem"):
		return kindMemfd
	case strings.HasSuffix(target, " (deleted)"):
		return kindDeleted
	}
	return kindRegular
}
