package splice

import (
	"errors"
	"io"
	"net"
	"sync"
	"syscall"
)

// bufferSize is the buffer of one direction, in bytes. It is as large as a full GRO batch, so that one system call
// can take what arrived together. A splice holds two buffers while it runs.
const bufferSize = 64 << 10

// Both copies from a to b and from b to a until both directions have ended or one has failed. It owns both
// connections: they are closed when it returns, and no goroutine is left.
//
// It reports how many bytes were delivered each way, and the failure that ended it, as the connection gave it.
// The error is nil when both directions ended by io.EOF, and when somebody closed a connection locally (net.ErrClosed).
//
// To stop a splice, close both connections: with one closed, both directions may still be blocked on the other, one
// in Write because its peer reads nothing, one in Read because its peer says nothing.
func Both(a, b Conn) (aToB, bToA int64, err error) {
	s := pair{a: a, b: b}
	var back sync.WaitGroup
	back.Go(func() { bToA = s.run(b, a) })
	aToB = s.run(a, b)
	back.Wait()

	_, _ = a.Close(), b.Close()
	if errors.Is(s.cause, net.ErrClosed) {
		return aToB, bToA, nil
	}
	return aToB, bToA, s.cause
}

// pair is a splice under way.
type pair struct {
	a, b Conn

	failed sync.Once
	cause  error // written under failed, read when both directions have ended
}

// run copies until src ends and passes that end on to dst. It returns the number of bytes delivered.
func (p *pair) run(src, dst Conn) int64 {
	n, err := transfer(dst, src)
	if err == nil {
		err = passEnd(dst)
	}
	if err != nil {
		p.fail(err)
	}
	return n
}

// fail aborts both connections, which ends the opposite direction too. The first failure is the cause: a second one
// is only what the abort did to the other direction.
func (p *pair) fail(err error) {
	p.failed.Do(func() {
		p.cause = err
		abort(p.a)
		abort(p.b)
	})
}

// transfer hides the ReadFrom and WriteTo of TCP connections from io: unless both sides are sockets, which the streams
// of a tunnel are not, they would copy through a smaller buffer of their own.
func transfer(dst io.Writer, src io.Reader) (int64, error) {
	return io.CopyBuffer(struct{ io.Writer }{dst}, struct{ io.Reader }{src}, make([]byte, bufferSize))
}

// passEnd ends the sending direction of dst. A dst that is no longer connected has nobody to tell; if bytes were lost
// with it, the opposite direction reads the reset.
func passEnd(dst Conn) error {
	if err := dst.CloseWrite(); err != nil && !errors.Is(err, syscall.ENOTCONN) {
		return err
	}
	return nil
}
