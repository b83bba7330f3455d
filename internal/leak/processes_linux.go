package leak

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"time"

	"golang.org/x/sys/unix"
)

// What goes to other processes, here or elsewhere.

const (
	writePatience = 10 * time.Millisecond // for a process to take a sample
	datagramBytes = 1200                  // of a sample, at most, in a datagram
)

// prepareChild finds the program before the lockdown, so that making a process
// is what the kernel has to refuse. The child passes on what it reads into a pipe
// that nobody reads, and so keeps it.
func (l *Leak) prepareChild() error {
	cat, err := exec.LookPath("cat")
	var to *os.File
	l.ways = append(l.ways, func(sample []byte) error {
		if to == nil {
			if to, err = l.startChild(cat); err != nil {
				return err
			}
		}
		to.SetWriteDeadline(time.Now().Add(writePatience))
		if _, err := to.Write(sample); !errors.Is(err, os.ErrDeadlineExceeded) { // which means that it is full
			return err
		}
		return nil
	})
	return err
}

func (l *Leak) startChild(path string) (stdin *os.File, err error) {
	inRead, inWrite, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer inRead.Close()
	outRead, outWrite, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(err, inWrite.Close())
	}
	defer outWrite.Close()
	child, err := os.StartProcess(path, []string{path}, &os.ProcAttr{Files: []*os.File{inRead, outWrite, outWrite}})
	if err != nil {
		return nil, errors.Join(err, inWrite.Close(), outRead.Close())
	}
	l.closes = append(l.closes, func() {
		inWrite.Close()
		outRead.Close()
		child.Kill()
		child.Wait()
	})
	return inWrite, nil
}

func (l *Leak) prepareUnix() error {
	path := l.getenv("LETHE_LEAK_SOCKET")
	if path == "" {
		return errors.New("LETHE_LEAK_SOCKET is not set: name a Unix stream socket that somebody listens on")
	}
	l.ways = append(l.ways, func(sample []byte) error { return dialAndWrite("unix", path, sample) })
	return nil
}

func (l *Leak) prepareUDP() (err error) {
	if l.own, err = netip.ParseAddrPort(l.getenv("LETHE_LEAK_UDP")); err != nil {
		return errors.New("LETHE_LEAK_UDP is not set: give an address and port")
	}
	l.ways = append(l.ways, func(sample []byte) error {
		return dialAndWrite("udp", l.own.String(), sample[:min(len(sample), datagramBytes)])
	})
	return nil
}

// prepareEarly opens sockets that are connected to nobody yet.
func (l *Leak) prepareEarly() error {
	for _, to := range []struct {
		variable    string
		kind, flags int
		most        int // bytes at once
	}{
		{"LETHE_LEAK_UDP", unix.SOCK_DGRAM, 0, datagramBytes},
		{"LETHE_LEAK_TCP", unix.SOCK_STREAM, unix.MSG_FASTOPEN, sampleBytes}, // which connects
	} {
		address, err := netip.ParseAddrPort(l.getenv(to.variable))
		if err != nil || !address.Addr().Is4() {
			return errors.New(to.variable + " is not set: give an IPv4 address and port")
		}
		fd, err := unix.Socket(unix.AF_INET, to.kind|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			return err
		}
		l.closes = append(l.closes, func() { unix.Close(fd) })
		patience := unix.NsecToTimeval(int64(writePatience))
		if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_SNDTIMEO, &patience); err != nil {
			return err
		}
		l.ways = append(l.ways, func(sample []byte) error {
			return sendEarly(fd, sample[:min(len(sample), to.most)], to.flags, &unix.SockaddrInet4{Port: int(address.Port()), Addr: address.Addr().As4()})
		})
	}
	return nil
}

func sendEarly(fd int, sample []byte, flags int, to unix.Sockaddr) error {
	err := unix.Sendto(fd, sample, flags, to)
	switch err {
	case unix.EISCONN:
		err = unix.Sendto(fd, sample, unix.MSG_NOSIGNAL, nil)
	case unix.EINPROGRESS, unix.EALREADY, unix.EAGAIN: // it takes longer than we wait
		err = errLater
	}
	return err
}

func dialAndWrite(network, address string, sample []byte) error {
	conn, err := net.DialTimeout(network, address, time.Second)
	if err != nil {
		return err
	}
	conn.SetWriteDeadline(time.Now().Add(writePatience))
	_, err = conn.Write(sample)
	return errors.Join(err, conn.Close())
}
