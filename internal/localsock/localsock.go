package localsock

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"
)

// maxPath is what fits into a sockaddr_un on every system that we run on.
const maxPath = 103

// Listen opens the socket at path with mode 0600 and replaces one that is there. It
// is never there with another mode.
func Listen(path string) (net.Listener, error) {
	if err := removeSocket(path); err != nil {
		return nil, err
	}
	// A new socket has the mode that the umask leaves, and takes connections at once.
	// So it is made where nobody else can come, and moved when it is private.
	// The names are short, since not all systems can shorten a path.
	hidden, err := os.MkdirTemp(filepath.Dir(path), ".s*")
	if err != nil {
		return nil, fmt.Errorf("open the socket %s: %w", path, err)
	}
	defer os.RemoveAll(hidden)
	l, err := listenPrivate(filepath.Join(hidden, "s"))
	if err != nil {
		return nil, fmt.Errorf("open the socket %s: %w", path, err)
	}
	if err := os.Rename(filepath.Join(hidden, "s"), path); err != nil {
		l.Close()
		return nil, fmt.Errorf("open the socket %s: %w", path, err)
	}
	return &listener{l, path}, nil
}

// listenPrivate opens a socket that stays when it is closed.
func listenPrivate(path string) (net.Listener, error) {
	short, done, err := shorten(path)
	if err != nil {
		return nil, err
	}
	defer done()
	l, err := net.Listen("unix", short)
	if err != nil {
		return nil, bare(err)
	}
	l.(*net.UnixListener).SetUnlinkOnClose(false) // neither path is good for that later on
	if err := os.Chmod(path, 0o600); err != nil {
		l.Close()
		return nil, err
	}
	return l, nil
}

func removeSocket(path string) error {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err == nil && info.Mode().Type() != fs.ModeSocket:
		return fmt.Errorf("can't open a socket at %s: a file of another kind is there; choose another path, or remove it", path)
	case err == nil:
		err = os.Remove(path)
	}
	if err != nil {
		return fmt.Errorf("replace the socket %s: %w", path, err)
	}
	return nil
}

// Dial connects to the socket at path.
func Dial(ctx context.Context, path string) (net.Conn, error) {
	short, done, err := shorten(path)
	if err != nil {
		return nil, err
	}
	defer done()
	var d net.Dialer
	c, err := d.DialContext(ctx, "unix", short)
	if err != nil {
		return nil, fmt.Errorf("connect to the socket %s: %w", path, bare(err))
	}
	return c, nil
}

type listener struct {
	net.Listener
	path string
}

// Close removes the socket, too.
func (l *listener) Close() error {
	err := l.Listener.Close()
	os.Remove(l.path)
	return err
}

// shorten gives a path that fits into a sockaddr_un for as long as done has
// not been called. A long one goes by way of the directory's open descriptor
// (Linux; elsewhere the kernel refuses it).
func shorten(path string) (short string, done func(), err error) {
	if len(path) <= maxPath {
		return path, func() {}, nil
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return "", nil, err
	}
	return filepath.Join("/proc/self/fd", strconv.Itoa(int(dir.Fd())), filepath.Base(path)), func() { dir.Close() }, nil
}

// bare takes the short path out of the error.
func bare(err error) error {
	var op *net.OpError
	if errors.As(err, &op) {
		return op.Err
	}
	return err
}
