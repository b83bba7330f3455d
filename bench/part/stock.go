package part

import (
	"bufio"
	"context"
	"crypto/rand"
	"crypto/tls"
	"io"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/quic-go/quic-go"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/bench/proc"
)

// Stock endpoints are what one gets from quic-go's documentation: a
// quic.Transport over a *net.UDPConn, and no configuration. Relayed, that socket
// is a leg of a session (stockleg.go).

const stockALPN = "lethe-bench"

// ServerConfig is what a server is opened with. Without a relay it listens.
type ServerConfig struct {
	Relay    string // URL with token
	Identity []byte // PEM, of a router
}

// ServerReady is where a server listens, without a relay.
type ServerReady struct{ Addr string }

// ClientConfig is what a client is opened with: a server's address, or all the rest.
type ClientConfig struct {
	Addr string

	Relay    string // URL
	Identity []byte // PEM, of a device
	Router   auth.RouterID
	Grant    []byte
}

// stock is one end of a connection.
type stock struct {
	*meter
	transport *quic.Transport
	conn      *quic.Conn // the client's
	leg       stockLeg   // if it is relayed
	running   sync.WaitGroup
}

func newServer() proc.Part { return newStock((*stock).listen) }
func newClient() proc.Part { return newStock((*stock).dial) }

func newStock[Args any](open func(*stock, context.Context, Args) (any, error)) proc.Part {
	s := &stock{meter: newMeter()}
	opened := func(ctx context.Context, args Args) (any, error) { return open(s, ctx, args) }
	return proc.Part{
		Handlers: map[string]proc.Handler{Open: proc.Handle(opened), Flow: proc.Handle(s.flow), Progress: s.progress()},
		Close:    s.close,
	}
}

// direct opens a socket that is no leg.
func (s *stock) direct() error {
	socket, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err == nil {
		s.transport = &quic.Transport{Conn: socket}
	}
	return err
}

func (s *stock) close() {
	s.leg.stop()
	if s.conn != nil {
		s.conn.CloseWithError(0, "")
	}
	if s.transport != nil {
		s.transport.Close()
		s.transport.Conn.Close()
	}
	s.leg.close()
	s.running.Wait()
}

func (s *stock) listen(ctx context.Context, c ServerConfig) (any, error) {
	if c.Relay != "" {
		return nil, s.leg.register(ctx, c, func(socket *net.UDPConn) error {
			s.transport = &quic.Transport{Conn: socket}
			return s.accept()
		})
	}
	if err := s.direct(); err != nil {
		return nil, err
	}
	return ServerReady{s.transport.Conn.LocalAddr().String()}, s.accept()
}

// accept answers whoever comes to the transport first.
func (s *stock) accept() error {
	id, err := auth.NewIdentity(rand.Reader)
	if err != nil {
		return err
	}
	cert, err := id.Certificate(time.Now())
	if err != nil {
		return err
	}
	listener, err := s.transport.Listen(&tls.Config{Certificates: []tls.Certificate{cert}, NextProtos: []string{stockALPN}}, nil)
	if err == nil {
		s.running.Go(func() { s.serve(listener) })
	}
	return err
}

// serve answers the streams of one connection.
func (s *stock) serve(listener *quic.Listener) {
	conn, err := listener.Accept(context.Background()) // ends with the transport
	if err != nil {
		return
	}
	for {
		stream, err := conn.AcceptStream(context.Background())
		if err != nil {
			return
		}
		s.running.Go(func() {
			in := bufio.NewReader(stream)
			direction, err := in.ReadString('\n')
			if err != nil {
				s.fail(err)
				return
			}
			s.move(struct {
				io.Reader
				io.Writer
			}{in, stream}, strings.TrimSpace(direction) == Down)
		})
	}
}

func (s *stock) dial(ctx context.Context, c ClientConfig) (any, error) {
	if c.Relay != "" {
		socket, err := s.leg.open(ctx, c)
		if err != nil {
			return nil, err
		}
		s.transport, c.Addr = &quic.Transport{Conn: socket}, s.leg.relay()
	} else if err := s.direct(); err != nil {
		return nil, err
	}
	addr, err := net.ResolveUDPAddr("udp", c.Addr)
	if err != nil {
		return nil, err
	}
	s.conn, err = s.transport.Dial(ctx, addr, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{stockALPN}}, nil)
	return nil, err
}

func (s *stock) flow(ctx context.Context, direction string) (any, error) {
	stream, err := s.conn.OpenStreamSync(ctx)
	if err != nil {
		return nil, err
	}
	if _, err := io.WriteString(stream, direction+"\n"); err != nil {
		return nil, err
	}
	s.running.Go(func() { s.move(stream, direction == Up) })
	return nil, nil
}
