package splice

import "net"

// Conn is a stream connection whose sending direction can be ended while its receiving direction goes on.
// *net.TCPConn and *net.UnixConn are Conns. As [net.Conn] demands, Close unblocks a Read or Write that is under way.
type Conn interface {
	net.Conn
	// CloseWrite ends the sending direction: the peer reads to the end of what was written, then io.EOF.
	CloseWrite() error
}

// Aborter is implemented by a [Conn] that can end so that its peer sees a failure rather than the end of the
// stream. Abort unblocks Read and Write, as Close does; Close is still called after it.
type Aborter interface {
	Abort()
}

// abort closes c, as a reset where c can do that. A Unix socket cannot.
func abort(c Conn) {
	switch c := c.(type) {
	case Aborter:
		c.Abort()
	case *net.TCPConn:
		_ = c.SetLinger(0) // Close now sends RST instead of FIN; it fails only on a connection that is already gone
	}
	_ = c.Close()
}
