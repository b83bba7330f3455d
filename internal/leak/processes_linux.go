package leak

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"time"
)

// What goes to other processes, here or elsewhere.

// writePatience is how long to wait for a process to take a sample.
const writePatience = 10 * time.Millisecond

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
		return dialAndWrite("udp", l.own.String(), sample[:min(len(sample), 1200)])
	})
	return nil
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
