package drive

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/lethe-relay/lethe/bench/retention/observe"
)

// identify makes sure that a relay which runs is the process that it is said to
// be: an audit of another process would accuse the relay. Either what answers
// at the admin socket is that process, or it has the relay's UDP port or the
// admin listener's TCP port.
func (r *Relay) identify(ctx context.Context) error {
	if _, err := os.Stat(filepath.Join("/proc", strconv.Itoa(r.PID))); err != nil {
		return fmt.Errorf("there is no process %d: give --pid the relay's, as 'pgrep -x lethe-relay' prints it", r.PID)
	}
	if pid, err := r.Admin.listener(ctx); err == nil && pid == r.PID {
		return nil
	}
	ours, err := r.holds()
	if err != nil {
		return fmt.Errorf("look at the sockets of process %d: %w", r.PID, err)
	}
	if !ours {
		return fmt.Errorf("process %d is not the relay: it has neither the admin listener nor UDP port %d; give --pid the relay's, as 'pgrep -x lethe-relay' prints it",
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

// holds says whether the process has a socket at one of the relay's ports.
func (r *Relay) holds() (bool, error) {
	has, err := observe.HasPort(r.PID, "udp", r.Addr.Port())
	if has || err != nil || r.Admin.Addr == "" {
		return has, err
	}
	admin, err := net.ResolveTCPAddr("tcp", r.Admin.Addr) // its host may be a name
	if err != nil {
		return false, err
	}
	return observe.HasPort(r.PID, "tcp", admin.AddrPort().Port())
}
