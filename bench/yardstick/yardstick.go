package yardstick

import (
	"crypto/ecdh"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"net"
	"net/netip"
	"runtime"
	"sync"
	"time"
)

// How often each piece of work is done; together it takes some 15 ms.
const (
	cryptoTimes   = 40
	datagramTimes = 1500
	datagramSize  = 1200 // bytes

	patience = 5 * time.Second // for all datagrams: one that is lost would be waited for
)

// Yard is the CPU time of one piece of each work.
type Yard struct{ Crypto, Datagram time.Duration }

// Measure measures both, on all processors at once. Where a thread's CPU time is
// not to be had, or no sockets are, it returns an error.
func Measure() (Yard, error) {
	crypto, err1 := onAll(cryptoWork)
	datagram, err2 := onAll(datagramWork)
	return Yard{crypto / cryptoTimes, datagram / datagramTimes}, errors.Join(err1, err2)
}

// onAll does the work on every processor, and returns its CPU time on one.
func onAll(work func() error) (time.Duration, error) {
	n := runtime.GOMAXPROCS(0)
	took, failed := make([]time.Duration, n), make([]error, n)
	var working sync.WaitGroup
	for i := range n {
		working.Go(func() { took[i], failed[i] = timed(work) })
	}
	working.Wait()
	var sum time.Duration
	for _, d := range took {
		sum += d
	}
	return sum / time.Duration(n), errors.Join(failed...)
}

// timed is the CPU time of the thread that does the work.
func timed(work func() error) (time.Duration, error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	before, err := threadCPU()
	if err != nil {
		return 0, err
	}
	if err := work(); err != nil {
		return 0, err
	}
	after, err := threadCPU()
	return after - before, err
}

func cryptoWork() error {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return err
	}
	text := make([]byte, 8<<10)
	for range cryptoTimes {
		key, err := ecdh.X25519().GenerateKey(rand.Reader)
		if err != nil {
			return err
		}
		secret, err := key.ECDH(key.PublicKey())
		if err != nil {
			return err
		}
		sum := sha256.Sum256(append(text, secret...))
		if !ed25519.Verify(public, sum[:], ed25519.Sign(private, sum[:])) {
			return errors.New("a signature is wrong")
		}
	}
	return nil
}

func datagramWork() error {
	from, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return err
	}
	defer from.Close()
	to, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return err
	}
	defer to.Close()
	if err := to.SetReadDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	addr, buf := to.LocalAddr().(*net.UDPAddr).AddrPort(), make([]byte, datagramSize)
	for range datagramTimes {
		if err := there(from, to, addr, buf); err != nil {
			return err
		}
	}
	return nil
}

// there takes a datagram from one socket to another. On loopback it is there
// when it has been written.
func there(from, to *net.UDPConn, addr netip.AddrPort, buf []byte) error {
	if _, err := from.WriteToUDPAddrPort(buf, addr); err != nil {
		return err
	}
	_, _, err := to.ReadFromUDPAddrPort(buf)
	return err
}
