package splice

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// networks are the kinds of socket each test runs over, on each side of the splice.
var networks = []struct{ name, near, far string }{
	{"tcp to tcp", "tcp", "tcp"},
	{"tcp to unix", "tcp", "unix"},
	{"unix to tcp", "unix", "tcp"},
	{"unix to unix", "unix", "unix"},
}

// outcome is what Both returned.
type outcome struct {
	aToB, bToA int64
	err        error
}

// rig is client ⇄ a (spliced) b ⇄ server.
type rig struct {
	client, a, b, server Conn
	done                 chan outcome
}

func newRig(t *testing.T, near, far string) *rig {
	t.Helper()
	r := &rig{done: make(chan outcome, 1)}
	r.client, r.a = connect(t, near)
	r.b, r.server = connect(t, far)
	go func() {
		var o outcome
		o.aToB, o.bToA, o.err = Both(r.a, r.b)
		r.done <- o
	}()
	return r
}

// connect makes two ends of a real connection. They are closed when the test ends.
func connect(t *testing.T, network string) (dialled, accepted Conn) {
	t.Helper()
	address := "127.0.0.1:0"
	if network == "unix" {
		address = filepath.Join(t.TempDir(), "s")
	}
	l, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	d, err := net.Dial(network, l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	s, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return d.(Conn), s.(Conn)
}

// payload is larger than the buffers of the splice and of the sockets together, and not a multiple of any of them.
func payload(seed byte, size int) []byte {
	b := make([]byte, size)
	_, _ = rand.NewChaCha8([32]byte{seed}).Read(b)
	return b
}

// TestHalfClose sends a question, ends the sending direction, and reads an answer that the server only starts to give
// when it has seen that end.
func TestHalfClose(t *testing.T) {
	question, answer := payload(1, 3<<20+17), payload(2, 5<<20+3)
	for _, n := range networks {
		t.Run(n.name, func(t *testing.T) {
			r := newRig(t, n.near, n.far)
			heard := make(chan []byte, 1)
			go func() {
				b, _ := io.ReadAll(r.server)
				heard <- b
				_, _ = r.server.Write(answer)
				_ = r.server.CloseWrite()
			}()
			if _, err := r.client.Write(question); err != nil {
				t.Fatal(err)
			}
			if err := r.client.CloseWrite(); err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(r.client)
			if err != nil || !bytes.Equal(got, answer) {
				t.Fatalf("answer: %d bytes, error %v; want the %d bytes sent", len(got), err, len(answer))
			}
			if !bytes.Equal(<-heard, question) {
				t.Error("the server did not read the question as it was sent")
			}
			want := outcome{aToB: int64(len(question)), bToA: int64(len(answer))}
			if o := <-r.done; o != want {
				t.Errorf("Both returned %+v, want %+v", o, want)
			}
		})
	}
}

// TestAbort resets one side and expects the other to see a failure, not the end of a stream.
func TestAbort(t *testing.T) {
	for _, side := range []string{"client", "server"} {
		t.Run(side, func(t *testing.T) {
			r := newRig(t, "tcp", "tcp")
			broken, survivor := r.client, r.server
			if side == "server" {
				broken, survivor = r.server, r.client
			}
			exchange(t, broken, survivor)
			abort(broken)
			if _, err := io.ReadAll(survivor); !errors.Is(err, syscall.ECONNRESET) {
				t.Errorf("after the %s was reset, the other side read %v; want a reset", side, err)
			}
			o := <-r.done
			if !errors.Is(o.err, syscall.ECONNRESET) {
				t.Errorf("Both returned %v, want a reset", o.err)
			}
			if o.aToB+o.bToA != 4 {
				t.Errorf("Both counted %d and %d bytes, want 4 in all", o.aToB, o.bToA)
			}
		})
	}
}

// TestCloseWhileStuck stops a splice that is blocked in a write to a side that reads nothing.
func TestCloseWhileStuck(t *testing.T) {
	for _, n := range networks {
		t.Run(n.name, func(t *testing.T) {
			client, a := connect(t, n.near)
			b, _ := connect(t, n.far)
			fill(t, b)
			watched := &writeWatcher{Conn: b, entered: make(chan struct{})}
			done := make(chan error, 1)
			go func() {
				_, _, err := Both(a, watched)
				done <- err
			}()
			if _, err := client.Write([]byte("one too many")); err != nil {
				t.Fatal(err)
			}
			<-watched.entered
			_ = a.Close()
			_ = b.Close()
			if err := <-done; err != nil {
				t.Errorf("Both returned %v after a local close, want nil", err)
			}
		})
	}
}

// TestLocalClose stops an idle splice from outside.
func TestLocalClose(t *testing.T) {
	for _, n := range networks {
		t.Run(n.name, func(t *testing.T) {
			r := newRig(t, n.near, n.far)
			exchange(t, r.client, r.server)
			_ = r.b.Close()
			if o := <-r.done; o.err != nil {
				t.Errorf("Both returned %v after a local close, want nil", o.err)
			}
			if _, err := io.ReadAll(r.client); err == nil && n.near == "tcp" {
				t.Error("the client read a clean end of a stream that was cut")
			}
		})
	}
}

// TestAborter checks that a connection with a reset of its own is aborted by it, before it is closed.
func TestAborter(t *testing.T) {
	client, a := connect(t, "tcp")
	b, _ := connect(t, "unix")
	stream := &recorder{Conn: b}
	abort(client)
	if _, _, err := Both(a, stream); !errors.Is(err, syscall.ECONNRESET) {
		t.Fatalf("Both returned %v, want a reset", err)
	}
	if len(stream.calls) < 2 || stream.calls[0] != "abort" || stream.calls[1] != "close" {
		t.Errorf("calls on the stream were %q, want abort, then close", stream.calls)
	}
}

// TestFirstFailureWins has both directions fail, one because of the other, and expects the cause to be reported.
func TestFirstFailureWins(t *testing.T) {
	cause := errors.New("the cause")
	_, a := connect(t, "tcp")
	_, b := connect(t, "tcp")
	_, _, err := Both(a, &failing{Conn: b, err: cause})
	if !errors.Is(err, cause) {
		t.Errorf("Both returned %v, want %v", err, cause)
	}
}

// exchange sends two bytes from x through the splice to y, which answers with two.
func exchange(t *testing.T, x, y Conn) {
	t.Helper()
	for _, step := range []struct{ from, to Conn }{{x, y}, {y, x}} {
		if _, err := step.from.Write([]byte("hi")); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(step.to, make([]byte, 2)); err != nil {
			t.Fatal(err)
		}
	}
}

// fill writes to c, whose peer reads nothing, until not one more byte fits.
func fill(t *testing.T, c net.Conn) {
	t.Helper()
	_ = c.SetWriteDeadline(time.Now().Add(20 * time.Millisecond))
	for {
		if _, err := c.Write(make([]byte, 4096)); errors.Is(err, os.ErrDeadlineExceeded) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	_ = c.SetWriteDeadline(time.Time{})
}

// writeWatcher tells when the splice enters its one Write.
type writeWatcher struct {
	Conn
	entered chan struct{}
}

func (w *writeWatcher) Write(p []byte) (int, error) {
	close(w.entered)
	return w.Conn.Write(p)
}

// recorder notes the order in which a splice ends it.
type recorder struct {
	Conn
	calls []string // written by the one goroutine that aborts, then by Both
}

func (r *recorder) Abort() { r.calls = append(r.calls, "abort") }

func (r *recorder) Close() error {
	r.calls = append(r.calls, "close")
	return r.Conn.Close()
}

// failing fails to read.
type failing struct {
	Conn
	err error
}

func (f *failing) Read([]byte) (int, error) { return 0, f.err }
