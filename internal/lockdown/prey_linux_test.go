package lockdown

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/quic-go/quic-go"
	"golang.org/x/sys/unix"
)

// prey is what was open before the lockdown, and is attacked under it by the ordinary means of the standard
// library: nothing here is shared with the self-test.
type prey struct {
	dir  string
	file *os.File // opened for writing
	tcp  int      // not connected
}

func newPrey(dir string) (*prey, error) {
	file, err := os.Create(filepath.Join(dir, "prey"))
	if err != nil {
		return nil, err
	}
	_, err = file.Write(make([]byte, 8192))
	tcp, socketErr := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	return &prey{dir, file, tcp}, errors.Join(err, socketErr)
}

// attack does what a leak would do. It tells what came of each: "" is that it worked.
func (p *prey) attack() map[string]string {
	results := make(map[string]string)
	do := func(name string, err error) {
		results[name] = ""
		if err != nil {
			results[name] = err.Error()
		}
	}
	in := func(name string) string { return filepath.Join(p.dir, name) }
	do("write a new file", os.WriteFile(in("new"), []byte("x"), 0o600))
	do("write to /dev/shm", os.WriteFile("/dev/shm/lethe-lockdown-test", []byte("x"), 0o600))
	do("append to a file", appendTo(in("prey")))
	do("write to an open file", writeAt(p.file))
	do("write to an open file at its start", seekAndWrite(p.file))
	do("truncate an open file", p.file.Truncate(0))
	do("map an open file", mapFile(p.file))
	do("make a directory", os.Mkdir(in("directory"), 0o700))
	do("rename", os.Rename(in("prey"), in("renamed")))
	do("link", os.Link(in("prey"), in("linked")))
	do("symlink", os.Symlink("prey", in("symlinked")))
	do("remove", os.Remove(in("prey")))
	do("chmod", os.Chmod(in("prey"), 0o644))
	do("change times", os.Chtimes(in("prey"), time.Now(), time.Now()))
	do("run a program", exec.Command("/bin/true").Run())
	do("dial TCP", dial("tcp", "127.0.0.1:1"))
	do("connect an open TCP socket by sendto", connecting(p.tcp, func(fd int) error {
		return unix.Sendto(fd, []byte("payload"), unix.MSG_FASTOPEN, loopback(1))
	}))
	do("connect an open TCP socket by sendmsg", connecting(p.tcp, func(fd int) error {
		return unix.Sendmsg(fd, []byte("payload"), nil, loopback(1), unix.MSG_FASTOPEN)
	}))
	do("connect a new TCP socket by sendto", newConnecting())
	do("send by a socket that the lockdown left open", p.sendByUnbound())
	do("have memory dumped again", advise(unix.MADV_DODUMP))
	do("have memory copied to children again", advise(unix.MADV_DOFORK))
	do("have memory merged with others' pages", advise(unix.MADV_MERGEABLE))
	do("dial a unix socket", dial("unix", in("admin.sock")))
	do("listen on TCP", listenTCP())
	do("listen on UDP", listenUDP())
	do("send a signal", syscall.Kill(os.Getppid(), 0))
	do("raise the limit of core files", syscall.Setrlimit(syscall.RLIMIT_CORE, &syscall.Rlimit{Cur: 1 << 20, Max: 1 << 20}))
	do("change the user", syscall.Setuid(65534))
	do("read a directory", readDir("/"))
	do("read a file", readFile("/etc/hostname"))
	do("pipe", pipe())
	return results
}

func appendTo(name string) error {
	f, err := os.OpenFile(name, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	return f.Close()
}

func writeAt(f *os.File) error {
	_, err := f.Write([]byte("payload"))
	return err
}

func seekAndWrite(f *os.File) error {
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	return writeAt(f)
}

func mapFile(f *os.File) error {
	_, err := syscall.Mmap(int(f.Fd()), 0, 4096, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)
	return err
}

// dial fails too if nobody listens, which is a connection that was let out.
func dial(network, address string) error {
	c, err := net.DialTimeout(network, address, time.Second)
	if errors.Is(err, syscall.ECONNREFUSED) {
		return nil
	}
	if err == nil {
		c.Close()
	}
	return err
}

// connecting sees whether a way of sending tries to connect. Then it fails too, since nobody listens, or because the
// machine does not want TCP Fast Open.
func connecting(fd int, send func(fd int) error) error {
	err := send(fd)
	for _, let := range []unix.Errno{unix.ECONNREFUSED, unix.EINPROGRESS, unix.EOPNOTSUPP} {
		if errors.Is(err, let) {
			return nil
		}
	}
	return err
}

func newConnecting() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	return connecting(fd, func(fd int) error { return unix.Sendto(fd, nil, unix.MSG_FASTOPEN, loopback(1)) })
}

// sendByUnbound finds a socket without a port that is not p's own.
func (p *prey) sendByUnbound() error {
	for fd := range 256 {
		name, err := unix.Getsockname(fd)
		v4, ip := name.(*unix.SockaddrInet4)
		if err == nil && ip && v4.Port == 0 && fd != p.tcp {
			unix.Sendto(fd, []byte("payload"), unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL, loopback(1))
			return nil
		}
	}
	return errors.New("there is none")
}

// advise tells the kernel what to do with memory of this process.
func advise(advice int) error {
	return withPage(func(page []byte) error { return unix.Madvise(page, advice) })
}

func listenTCP() error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err == nil {
		l.Close()
	}
	return err
}

func listenUDP() error {
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err == nil {
		c.Close()
	}
	return err
}

func readDir(name string) error {
	_, err := os.ReadDir(name)
	return err
}

func readFile(name string) error {
	_, err := os.ReadFile(name)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}

func pipe() error {
	r, w, err := os.Pipe()
	if err != nil {
		return err
	}
	return errors.Join(r.Close(), w.Close())
}

// echoServer answers every stream with what it brings.
func echoServer(conn net.PacketConn) (serve func() error, err error) {
	cert, err := selfSigned()
	if err != nil {
		return nil, err
	}
	transport := &quic.Transport{Conn: conn}
	listener, err := transport.Listen(&tls.Config{Certificates: []tls.Certificate{cert}, NextProtos: []string{"echo"}}, nil)
	if err != nil {
		return nil, err
	}
	return func() error {
		for {
			c, err := listener.Accept(context.Background())
			if err != nil {
				return err
			}
			go echo(c)
		}
	}, nil
}

func echo(c *quic.Conn) {
	for {
		s, err := c.AcceptStream(context.Background())
		if err != nil {
			return
		}
		go func() {
			io.Copy(s, s)
			s.Close()
		}()
	}
}

func selfSigned() (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, err
}
