package proxy

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/lethe-relay/lethe/internal/splice"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long a test waits for what must come.
const patience = 5 * time.Second

// connPair is a connection with both of its ends.
func connPair(t *testing.T) (here, there *net.TCPConn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	a, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	b, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close(); b.Close() })
	for _, c := range []net.Conn{a, b} {
		c.SetDeadline(time.Now().Add(patience))
	}
	return a.(*net.TCPConn), b.(*net.TCPConn)
}

// stream is a stream of a tunnel as far as errors go: its own are not those of a socket.
type stream struct{ *net.TCPConn }

func (s stream) Read(b []byte) (int, error) {
	n, err := s.TCPConn.Read(b)
	if errors.Is(err, syscall.ECONNRESET) {
		err = errBroken
	}
	return n, err
}

// Abort is a stream's reset.
func (s stream) Abort() {
	s.SetLinger(0)
	s.Close()
}

var errBroken = errors.New("the router broke the stream off")

// portBench is a port under test: the service's ends of its streams, and what it reports.
type portBench struct {
	*Port
	services chan *net.TCPConn
	failed   chan error
	stop     func()
}

func newPortBench(t *testing.T, open Open) *portBench {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b := &portBench{services: make(chan *net.TCPConn, 10), failed: make(chan error, 10)}
	if open == nil {
		open = func(context.Context) (splice.Conn, error) {
			here, there := connPair(t)
			b.services <- there
			return stream{here}, nil
		}
	}
	b.Port = &Port{Listener: l, Open: open, Failed: func(err error) { b.failed <- err }}
	ctx, cancel := context.WithCancel(context.Background())
	var serving sync.WaitGroup
	serving.Go(func() { b.Serve(ctx) })
	b.stop = sync.OnceFunc(func() { cancel(); serving.Wait() })
	t.Cleanup(b.stop)
	return b
}

func (b *portBench) dial(t *testing.T) *net.TCPConn {
	t.Helper()
	c, err := net.Dial("tcp", b.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(patience))
	return c.(*net.TCPConn)
}

// TestPort carries both ways, half-closes and all.
func TestPort(t *testing.T) {
	b := newPortBench(t, nil)
	for range 2 {
		program := b.dial(t)
		service := <-b.services
		io.WriteString(program, "question")
		program.CloseWrite()
		if text, err := io.ReadAll(service); err != nil || string(text) != "question" {
			t.Fatalf("%q, %v", text, err)
		}
		io.WriteString(service, "an answer")
		service.Close()
		if text, err := io.ReadAll(program); err != nil || string(text) != "an answer" {
			t.Fatalf("%q, %v", text, err)
		}
	}
	b.stop()
	if len(b.failed) != 0 {
		t.Errorf("failed: %v", <-b.failed)
	}
}

// TestPortFails: a connection that comes to nothing is reported and closed, and the port goes on.
func TestPortFails(t *testing.T) {
	no := errors.New("the router is away")
	b := newPortBench(t, func(context.Context) (splice.Conn, error) { return nil, no })
	for range 2 {
		program := b.dial(t)
		if n, err := program.Read(make([]byte, 1)); err == nil {
			t.Errorf("read %d bytes", n)
		}
		if err := <-b.failed; err != no {
			t.Errorf("failed: %v", err)
		}
	}
}

// TestPortBreaks: a service that breaks off is seen as a reset, and reported. A program that breaks off knows it itself.
func TestPortBreaks(t *testing.T) {
	b := newPortBench(t, nil)
	program := b.dial(t)
	service := <-b.services
	program.SetLinger(0)
	program.Close()
	if _, err := service.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("the service read %v, want a reset", err)
	}
	program = b.dial(t)
	service = <-b.services
	service.SetLinger(0)
	service.Close()
	if _, err := program.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("the program read %v, want a reset", err)
	}
	if err := <-b.failed; err != errBroken {
		t.Errorf("failed: %v", err)
	}
	if b.stop(); len(b.failed) != 0 {
		t.Errorf("failed, too: %v", <-b.failed)
	}
}

// TestPortStops ends connections under way and openings under way, which is no failure.
func TestPortStops(t *testing.T) {
	here, there := connPair(t)
	streams := make(chan splice.Conn, 1)
	streams <- here
	opening := make(chan struct{})
	b := newPortBench(t, func(ctx context.Context) (splice.Conn, error) {
		select {
		case s := <-streams:
			return s, nil
		default:
		}
		close(opening)
		<-ctx.Done()
		return nil, ctx.Err()
	})
	carried := b.dial(t)
	io.WriteString(carried, "x")
	if _, err := there.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	b.dial(t)
	<-opening
	began := time.Now()
	if b.stop(); time.Since(began) > time.Second {
		t.Errorf("it took %v", time.Since(began))
	}
	if _, err := carried.Read(make([]byte, 1)); err == nil {
		t.Error("the connection lives on")
	}
	if len(b.failed) != 0 {
		t.Errorf("failed: %v", <-b.failed)
	}
	if _, err := net.Dial("tcp", b.Listener.Addr().String()); err == nil {
		t.Error("the port is still open")
	}
}

// TestPipe connects a program's streams: the end of its input is passed on, the rest of the output still comes.
func TestPipe(t *testing.T) {
	here, there := connPair(t)
	var out bytes.Buffer
	done := make(chan error)
	go func() { done <- Pipe(strings.NewReader("input"), &out, here) }()
	if text, err := io.ReadAll(there); err != nil || string(text) != "input" {
		t.Fatalf("%q, %v", text, err)
	}
	io.WriteString(there, "output")
	there.Close()
	if err := <-done; err != nil || out.String() != "output" {
		t.Errorf("%q, %v", out.String(), err)
	}
}

// TestPipeEnds: the other end's end is the end, whether there is more input or not, and a reset is an error.
func TestPipeEnds(t *testing.T) {
	for _, broken := range []bool{false, true} {
		here, there := connPair(t)
		in, typing := io.Pipe() // a terminal at which nobody types
		done := make(chan error)
		go func() { done <- Pipe(in, io.Discard, here) }()
		if broken {
			there.SetLinger(0)
		}
		there.Close()
		if err := <-done; (err != nil) != broken {
			t.Errorf("broken %t: %v", broken, err)
		}
		typing.Close()
	}
}
