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

// socketWatch samples the sockets of a group's processes.
type socketWatch struct {
	group   *Group
	sampler *sampler
	seen    map[uint64]bool
	doubt   map[uint64]bool // not in the kernel's lists when it was seen first: it may have been closed just then
	started bool
	listens map[string]bool // where connections may come in: unix paths, TCP ports
	result  Result
}

func watchSockets(g *Group) *socketWatch {
	w := &socketWatch{group: g, seen: make(map[uint64]bool), doubt: make(map[uint64]bool), listens: make(map[string]bool)}
	w.sampler = startSampler(sampleEvery, w.look)
	return w
}

func (w *socketWatch) stop() Result {
	w.sampler.stop()
	w.look()
	return w.result
}

func (w *socketWatch) look() {
	for _, pid := range w.group.PIDs() {
		var fresh []openFile
		for _, f := range openFiles(pid) {
			if f.kind == kindSocket && !w.seen[f.inode] {
				fresh = append(fresh, f)
			}
		}
		if len(fresh) == 0 {
			continue
		}
		table := w.table(pid)
		for _, f := range fresh {
			w.judge(pid, f, table)
		}
	}
	w.started = true
}

func (w *socketWatch) judge(pid int, f openFile, table map[uint64]socket) {
	s, known := table[f.inode]
	if !known && w.started && !w.doubt[f.inode] {
		w.doubt[f.inode] = true
		return
	}
	w.seen[f.inode] = true
	if !w.started {
		if s.listening {
			w.listens[s.local] = true
		}
		return
	}
	if !known {
		family, err := familyOf(pid, f.fd)
		if err != nil || family == unix.AF_INET || family == unix.AF_INET6 {
			w.result.note(DetectorEgress, fmt.Sprintf("process %d has an IP socket that is not connected any more, or not yet (descriptor %s)", pid, f.fd))
			return
		}
		s.what = fmt.Sprintf("a socket of address family %d", family)
	}
	if s.stream && w.listens[s.local] { // accepted
		return
	}
	w.result.found(DetectorEgress, fmt.Sprintf("process %d has %s since the audit began (descriptor %s)", pid, s.what, f.fd))
}

// familyOf asks the socket itself, for those that the kernel doesn't list.
func familyOf(pid int, fd string) (family int, err error) {
	number, err := strconv.Atoi(fd)
	if err != nil {
		return 0, err
	}
	handle, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return 0, err
	}
	defer unix.Close(handle)
	copied, err := unix.PidfdGetfd(handle, number, 0)
	if err != nil {
		return 0, err
	}
	defer unix.Close(copied)
	return unix.GetsockoptInt(copied, unix.SOL_SOCKET, unix.SO_DOMAIN)
}

// socket is one that the kernel lists.
type socket struct {
	what      string
	local     string // what it is reached by: a port, a path
	stream    bool
	listening bool
}

const (
	tcpListen      = "0A" // TCP_LISTEN in /proc/net/tcp
	unixStream     = 1    // SOCK_STREAM in /proc/net/unix
	unixAcceptsBit = 1 << 16
)

// table lists the sockets of a process's network, by inode.
func (w *socketWatch) table(pid int) map[uint64]socket {
	all := make(map[uint64]socket)
	fs, err := procfs.NewFS(filepath.Join("/proc", strconv.Itoa(pid)))
	if err != nil {
		return all
	}
	for _, protocol := range []string{"udp", "udp6", "tcp", "tcp6"} {
		if err := ipSockets(pid, protocol, all); err != nil {
			w.result.gap(DetectorEgress, fmt.Sprintf("the %s sockets can't be listed: %v", protocol, err))
		}
	}
	local, err := fs.NetUNIX()
	if err != nil {
		w.result.gap(DetectorEgress, fmt.Sprintf("the unix sockets can't be listed: %v", err))
		return all
	}
	for _, s := range local.Rows {
		all[s.Inode] = socket{
			what: fmt.Sprintf("a unix socket %q", s.Path), local: s.Path,
			stream: uint64(s.Type) == unixStream && s.Path != "", listening: uint64(s.Flags)&unixAcceptsBit != 0,
		}
	}
	return all
}

// ipSockets adds those of a protocol: lines of "sl local remote state … inode …", addresses and ports as hexadecimal.
func ipSockets(pid int, protocol string, all map[uint64]socket) error {
	data, err := os.ReadFile(proc(pid, "net/"+protocol))
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(data)) {
		fields := strings.Fields(line)
		if len(fields) < 10 {
			continue
		}
		inode, err := strconv.ParseUint(fields[9], 10, 64)
		if err != nil { // the heading
			continue
		}
		stream := strings.HasPrefix(protocol, "tcp")
		all[inode] = socket{
			what:  fmt.Sprintf("a %s socket from port %d to port %d", protocol, portOf(fields[1]), portOf(fields[2])),
			local: fmt.Sprint(portOf(fields[1])), stream: stream, listening: stream && fields[3] == tcpListen,
		}
	}
	return nil
}

func portOf(address string) uint64 {
	port, _ := strconv.ParseUint(address[strings.LastIndexByte(address, ':')+1:], 16, 16)
	return port
}
