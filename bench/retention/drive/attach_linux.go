package drive

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/prometheus/procfs"
	"golang.org/x/sys/unix"
)

// identify makes sure that a relay which runs is the process that it is said to
// be: an audit of another process would accuse the relay. Either what answers
// at the admin socket is that process, or it has the relay's UDP port.
func (r *Relay) identify(ctx context.Context) error {
	dir := filepath.Join("/proc", strconv.Itoa(r.PID))
	if _, err := os.Stat(dir); err != nil {
		return fmt.Errorf("there is no process %d: give --pid the relay's, as 'pgrep -x lethe-relay' prints it", r.PID)
	}
	if pid, err := r.Admin.listener(ctx); err == nil && pid == r.PID {
		return nil
	}
	ours, err := r.holds(dir)
	if err != nil {
		return fmt.Errorf("look at the sockets of process %d: %w", r.PID, err)
	}
	if !ours {
		return fmt.Errorf("process %d is not the relay: it has neither the admin socket nor UDP port %d; give --pid the relay's, as 'pgrep -x lethe-relay' prints it",
			r.PID, r.Addr.Port())
	}
	return nil
}

// listener is the process that listens at a unix socket, as the kernel tells it.
func (a Admin) listener(ctx context.Context) (pid int, err error) {
	if a.Socket == "" {
		return 0, errors.New("the admin listener is not a unix socket")
	}
	conn, err := new(net.Dialer).DialContext(ctx, "unix", a.Socket)
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	raw, err := conn.(*net.UnixConn).SyscallConn()
	if err != nil {
		return 0, err
	}
	var peer *unix.Ucred
	var failed error
	if err := raw.Control(func(fd uintptr) { peer, failed = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED) }); err != nil {
		return 0, err
	}
	if failed != nil {
		return 0, failed
	}
	return int(peer.Pid), nil
}

// holds says whether the process has a socket at the relay's UDP port. dir is the process's in /proc.
func (r *Relay) holds(dir string) (bool, error) {
	root, err := procfs.NewDefaultFS()
	if err != nil {
		return false, err
	}
	process, err := root.Proc(r.PID)
	if err != nil {
		return false, err
	}
	open, err := process.FileDescriptorTargets()
	if err != nil {
		return false, err
	}
	network, err := procfs.NewFS(dir) // it may be another than ours
	if err != nil {
		return false, err
	}
	has := func(inode uint64) bool { return slices.Contains(open, fmt.Sprintf("socket:[%d]", inode)) }
	for _, read := range []func() (procfs.NetUDP, error){network.NetUDP, network.NetUDP6} {
		sockets, _ := read() // a kernel may be without one of them
		for _, s := range sockets {
			if s.LocalPort == uint64(r.Addr.Port()) && has(s.Inode) {
				return true, nil
			}
		}
	}
	return false, nil
}
