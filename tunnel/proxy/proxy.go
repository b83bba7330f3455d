package proxy

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"time"

	"github.com/lethe-relay/lethe/internal/splice"
)

// acceptPause keeps a listener that fails each time from taking a core.
const acceptPause = 100 * time.Millisecond

// Open opens a stream to the service that a port leads to.
type Open func(ctx context.Context) (splice.Conn, error)

// Port is a local port that leads to a service.
type Port struct {
	// Listener is where programs connect; Serve closes it.
	Listener net.Listener

	// Open is called for each connection.
	Open Open

	// Failed is told why a connection came to nothing: the service refused it,
	// or the tunnel is gone. It may be called from several goroutines. What the
	// end of Serve or the program here does to connections is no failure.
	Failed func(error)
}

// Serve connects every connection to the service until ctx ends or the listener
// is closed. It returns when all connections are closed.
func (p *Port) Serve(ctx context.Context) {
	var connections sync.WaitGroup
	defer connections.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { p.Listener.Close() })
	defer stop()
	for {
		conn, err := p.Listener.Accept()
		if ctx.Err() != nil || errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil { // of the moment, such as too many open files
			p.Failed(err)
			select {
			case <-ctx.Done():
			case <-time.After(acceptPause):
			}
			continue
		}
		connections.Go(func() { p.carry(ctx, conn.(splice.Conn)) })
	}
}

func (p *Port) carry(ctx context.Context, local splice.Conn) {
	remote, err := p.Open(ctx)
	if err != nil {
		local.Close()
		if ctx.Err() == nil {
			p.Failed(err)
		}
		return
	}
	stop := context.AfterFunc(ctx, func() {
		local.Close()
		remote.Close()
	})
	defer stop()
	_, _, err = splice.Both(local, remote)
	var own *net.OpError // the program here broke its connection off, as browsers do
	if err != nil && ctx.Err() == nil && !errors.As(err, &own) {
		p.Failed(err)
	}
}

// Pipe connects in and out, such as a program's standard streams, to a stream
// until the other end has closed it. The end of in is passed on; out still
// gets what comes after. It returns why the stream broke, or nil.
func Pipe(in io.Reader, out io.Writer, stream splice.Conn) error {
	defer stream.Close()
	go func() { // ends with the process: a terminal's Read can't be broken off
		if _, err := io.Copy(stream, in); err == nil {
			stream.CloseWrite()
		}
	}()
	_, err := io.Copy(out, stream)
	return err
}
