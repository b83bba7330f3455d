package observe

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/prometheus/procfs"
	"golang.org/x/sys/unix"
)

// socketWatch samples the sockets of a group's processes. All of them are looked at each
// time, for one that was there at the start, with no port and no peer, may get both later.
type socketWatch struct {
	group   *Group
	sampler *sampler
	seen    map[sighting]bool
	doubt   map[uint64]bool // by inode: not in the kernel's lists when it was seen last; it may have been closed just then
	started bool
	listens map[string]bool // where connections may come in: unix paths, TCP ports
	result  Result
}

// sighting is a socket between two ends: with others it is looked at as if it were new.
type sighting struct {
	inode uint64
	ends  string
}

func watchSockets(g *Group) *socketWatch {
	w := &socketWatch{group: g, seen: make(map[sighting]bool), doubt: make(map[uint64]bool), listens: make(map[string]bool)}
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
		files := openFiles(pid)
		table := w.table(pid)
		for _, f := range files {
			if f.kind == kindSocket {
				w.judge(pid, f, table)
			}
		}
	}
	w.started = true
}

func (w *socketWatch) judge(pid int, f openFile, table map[uint64]socket) {
	s, listed := table[f.inode]
	switch {
	case listed:
		delete(w.doubt, f.inode)
	case w.started && !w.doubt[f.inode] && !w.seen[sighting{inode: f.inode}]:
		w.doubt[f.inode] = true
		return
	default:
		s = unlisted(pid, f.fd)
	}
	now := sighting{f.inode, s.ends}
	if w.seen[now] {
		return
	}
	w.seen[now] = true
	if !listed {
		w.seen[sighting{inode: f.inode}] = true
	}
	switch {
	case !w.started:
		if s.listening {
			w.listens[s.local] = true
		}
	case s.idle:
		w.result.note(DetectorEgress, fmt.Sprintf("process %d has %s (descriptor %s)", pid, s.what, f.fd))
	case s.stream && w.listens[s.local]: // accepted
	default:
		w.result.found(DetectorEgress, fmt.Sprintf("process %d has %s since the audit began (descriptor %s)", pid, s.what, f.fd))
	}
}

// unlisted asks the socket itself, for those that the kernel doesn't list.
func unlisted(pid int, fd string) socket {
	family, port, err := ask(pid, fd)
	switch {
	case err == nil && family != unix.AF_INET && family != unix.AF_INET6:
		what := fmt.Sprintf("a socket of address family %d", family)
		return socket{what: what, ends: what}
	case err == nil && port != 0: // of TCP: all of UDP that have a port are listed
		return socket{what: fmt.Sprintf("an IP socket that has port %d", port), ends: fmt.Sprint(port), local: fmt.Sprint(port), stream: true}
	}
	return socket{what: "an IP socket that is not connected any more, or not yet", idle: true}
}

// ask asks a socket of another process for its address family and its own port.
func ask(pid int, fd string) (family, port int, err error) {
	number, err := strconv.Atoi(fd)
	if err != nil {
		return 0, 0, err
	}
	handle, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return 0, 0, err
	}
	defer unix.Close(handle)
	copied, err := unix.PidfdGetfd(handle, number, 0)
	if err != nil {
		return 0, 0, err
	}
	defer unix.Close(copied)
	if family, err = unix.GetsockoptInt(copied, unix.SOL_SOCKET, unix.SO_DOMAIN); err != nil {
		return 0, 0, err
	}
	address, err := unix.Getsockname(copied)
	switch address := address.(type) {
	case *unix.SockaddrInet4:
		port = address.Port
	case *unix.SockaddrInet6:
		port = address.Port
	default:
		err = nil // of another family, whose names don't matter
	}
	return family, port, err
}

// socket is one that the kernel lists.
type socket struct {
	what      string
	ends      string // tells it from the same socket before, with another address or another peer
	local     string // what it is reached by: a port, a path
	stream    bool
	listening bool
	idle      bool // it has neither, so nothing can have left by it yet
}

const (
	tcpListen      = "0A" // TCP_LISTEN in /proc/net/tcp
	unixConnected  = 3    // SS_CONNECTED in /proc/net/unix
	unixStream     = 1    // SOCK_STREAM in /proc/net/unix
	unixAcceptsBit = 1 << 16
)

// table lists the sockets of a process's network, by inode.
func (w *socketWatch) table(pid int) map[uint64]socket {
	all := make(map[uint64]socket)
	root, err := procfs.NewFS(filepath.Join("/proc", strconv.Itoa(pid)))
	if err != nil {
		return all
	}
	for _, protocol := range []string{"udp", "udp6", "tcp", "tcp6"} {
		if err := ipSockets(pid, protocol, all); err != nil {
			w.result.gap(DetectorEgress, fmt.Sprintf("the %s sockets can't be listed: %v", protocol, err))
		}
	}
	local, err := root.NetUNIX()
	if err != nil {
		w.result.gap(DetectorEgress, fmt.Sprintf("the unix sockets can't be listed: %v", err))
		return all
	}
	for _, s := range local.Rows {
		all[s.Inode] = socket{
			what: fmt.Sprintf("a unix socket %q", s.Path), ends: fmt.Sprint(s.Path, s.State == unixConnected), local: s.Path,
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
			ends:  strings.Join([]string{protocol, fields[1], fields[2]}, " "),
			local: fmt.Sprint(portOf(fields[1])), stream: stream, listening: stream && fields[3] == tcpListen,
		}
	}
	return nil
}

// HasPort says whether a process has a socket of a protocol, udp or tcp over either
// kind of IP, at a port of its own; of tcp, one that listens.
func HasPort(pid int, protocol string, port uint16) (bool, error) {
	if _, err := os.ReadDir(proc(pid, "fd")); err != nil {
		return false, err
	}
	all := make(map[uint64]socket)
	for _, kind := range []string{protocol, protocol + "6"} {
		if err := ipSockets(pid, kind, all); err != nil && !errors.Is(err, fs.ErrNotExist) { // a kernel may be without IPv6
			return false, err
		}
	}
	for _, f := range openFiles(pid) {
		if s, listed := all[f.inode]; listed && s.local == fmt.Sprint(port) && s.stream == s.listening {
			return true, nil
		}
	}
	return false, nil
}

// UDPPorts returns the ports of those sockets, given by inode, that are UDP sockets of
// the network of a process, over either kind of IP, and are bound and open.
func UDPPorts(pid int, inodes []uint64) (ports []uint16, err error) {
	all := make(map[uint64]socket)
	for _, kind := range []string{"udp", "udp6"} {
		if err := ipSockets(pid, kind, all); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
	for _, inode := range inodes {
		if s, listed := all[inode]; listed {
			port, err := strconv.ParseUint(s.local, 10, 16)
			if err != nil {
				return nil, err
			}
			ports = append(ports, uint16(port))
		}
	}
	return ports, nil
}

func portOf(address string) uint64 {
	port, _ := strconv.ParseUint(address[strings.LastIndexByte(address, ':')+1:], 16, 16)
	return port
}
