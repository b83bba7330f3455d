package udpio

import (
	"errors"
	"fmt"
	"math"
	"net"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// watchers counts the epoll instances of this process that have the socket in them.
func (c *Conn) watchers(t *testing.T) (n int) {
	files, err := os.ReadDir("/proc/self/fdinfo")
	if err != nil {
		t.Error(err)
	}
	for _, f := range files {
		info, err := os.ReadFile("/proc/self/fdinfo/" + f.Name())
		if errors.Is(err, os.ErrNotExist) { // the directory itself
			continue
		}
		if err != nil {
			t.Error(err)
		}
		for line := range strings.Lines(string(info)) {
			var fd int
			if _, err := fmt.Sscanf(line, "tfd: %d", &fd); err == nil && fd == c.fd {
				n++
			}
		}
	}
	return n
}

// awaitWatchers waits until there are so many.
func (c *Conn) awaitWatchers(t *testing.T, n int) {
	for late := time.Now().Add(10 * time.Second); c.watchers(t) < n; runtime.Gosched() {
		if time.Now().After(late) {
			t.Errorf("no %d pollers have the socket", n)
			return
		}
	}
}

// TestNobodyIsWokenWhileThereIsSomethingToRead: a socket is in a poller only while
// somebody waits for it. A reader that always finds something, and a writer that
// always finds room, have none to go through.
func TestNobodyIsWokenWhileThereIsSomethingToRead(t *testing.T) {
	client, server := listen(t, "127.0.0.1:0", Config{}), listen(t, "127.0.0.1:0", Config{})
	w, r, in := client.NewWriter(1), server.NewReader(1), NewBatch(1)
	out := []Message{*message(at(server, "127.0.0.1"), 100, 100)}
	exchange := func(wait bool) {
		t.Helper()
		send := func() {
			if err := w.WriteBatch(out); err != nil || out[0].Status != Sent {
				t.Error(err, out[0].Status)
			}
		}
		var wg sync.WaitGroup
		if wait {
			wg.Go(func() {
				server.awaitWatchers(t, 1)
				send()
			})
		} else {
			send()
		}
		server.SetReadDeadline(time.Now().Add(10 * time.Second))
		if _, err := r.ReadBatch(in); err != nil || in[0].N != 100 {
			t.Fatal(err, in[0].N)
		}
		wg.Wait()
	}
	want := func(when string, watchers int) {
		t.Helper()
		if got := server.watchers(t); got != watchers {
			t.Errorf("%s, %d pollers have the reader's socket, want %d", when, got, watchers)
		}
		if got := client.watchers(t); got != 0 {
			t.Errorf("%s, %d pollers have the writer's socket, want none", when, got)
		}
	}
	want("before anything came", 0)
	for range 2 {
		exchange(true)
		want("after the reader had to wait", 1)
		for range enough + 1 {
			exchange(false)
		}
		want("after the reader did not have to wait", 0)
	}
}

// TestWaitForRoom: a writer that finds none waits for it, and goes on when there is
// some, also after it has given up once. In the end nobody waits.
func TestWaitForRoom(t *testing.T) {
	client, server := listen(t, "127.0.0.1:0", Config{}), listen(t, "127.0.0.1:0", Config{})
	full := 0 // calls that find no room
	w := client.NewWriter(1)
	w.send = func(fd int, hdrs []unix.Mmsghdr) (int, unix.Errno) {
		if full > 0 {
			full--
			return 0, unix.EAGAIN
		}
		return sendmmsg(fd, hdrs)
	}
	out := []Message{*message(at(server, "127.0.0.1"), 100, 100)}
	write := func(patience time.Duration, want SendStatus, watchers int) {
		t.Helper()
		client.SetWriteDeadline(time.Now().Add(patience))
		if err := w.WriteBatch(out); out[0].Status != want || (err != nil) != (want == NoBuffer) {
			t.Fatalf("%v, %v, want %v", err, out[0].Status, want)
		}
		if got := client.watchers(t); got != watchers {
			t.Errorf("%d pollers have the socket, want %d", got, watchers)
		}
	}
	for range 2 {
		full = math.MaxInt
		write(20*time.Millisecond, NoBuffer, 1)
		full = 0
		for range enough {
			write(10*time.Second, Sent, 1)
		}
		write(10*time.Second, Sent, 0)
		full = 1 // the socket has room: the poller says so at once
		write(10*time.Second, Sent, 1)
		full = 0
	}
}

// TestCloseEndsWaiting of a reader and of a writer, and leaves nothing open.
func TestCloseEndsWaiting(t *testing.T) {
	c := listen(t, "127.0.0.1:0", Config{})
	ended := make(chan error, 2)
	go func() {
		_, err := c.NewReader(1).ReadBatch(NewBatch(1))
		ended <- err
	}()
	w := c.NewWriter(1)
	w.send = func(int, []unix.Mmsghdr) (int, unix.Errno) { return 0, unix.EAGAIN }
	out := []Message{*message(at(c, "127.0.0.1"), 1, 1)}
	go func() { ended <- w.WriteBatch(out) }()
	c.awaitWatchers(t, 1)
	fd := c.fd
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	for range 2 {
		if err := <-ended; err != net.ErrClosed {
			t.Errorf("waiting ended with %v", err)
		}
	}
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err != unix.EBADF {
		t.Errorf("the socket is still open: %v", err)
	}
	if err := c.Close(); err != nil {
		t.Errorf("closing again: %v", err)
	}
	if err := c.SetReadDeadline(time.Now()); err != net.ErrClosed {
		t.Errorf("deadline after close: %v", err)
	}
}

// TestNoPlaceInThePoller: a socket that nobody could wait for is not made, and the
// error is none that means the end.
func TestNoPlaceInThePoller(t *testing.T) {
	fd, err := unix.Open(t.TempDir(), unix.O_TMPFILE|unix.O_RDWR|unix.O_CLOEXEC|unix.O_NONBLOCK, 0o600)
	if err != nil {
		t.Skip(err)
	}
	_, err = polled(fd) // no poller takes a file
	if !errors.Is(err, os.ErrNoDeadline) || errors.Is(err, net.ErrClosed) {
		t.Errorf("got %v", err)
	}
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err != unix.EBADF {
		t.Errorf("it is still open: %v", err)
	}
}

// TestStrangeErrorIsNoEnd: what the runtime's poller says, and we have not heard of.
func TestStrangeErrorIsNoEnd(t *testing.T) {
	c, strange := listen(t, "127.0.0.1:0", Config{}), errors.New("strange")
	if err := c.arrivals.ended(strange); err != strange {
		t.Errorf("it became %v", err)
	}
	c.Close()
	if err := c.arrivals.ended(strange); err != net.ErrClosed {
		t.Errorf("closed, it became %v", err)
	}
}

// unwatchable has the kernel refuse to watch the socket until mend is called.
func unwatchable(t *testing.T, c *Conn, e *event) (mend func()) {
	t.Helper()
	ctl := func(op int) {
		t.Helper()
		failed := error(nil)
		err := e.hold(func(epoll uintptr) { failed = unix.EpollCtl(int(epoll), op, c.fd, new(unix.EpollEvent)) })
		if err != nil || failed != nil {
			t.Fatal(err, failed)
		}
	}
	ctl(unix.EPOLL_CTL_ADD) // twice is refused
	return func() { t.Helper(); ctl(unix.EPOLL_CTL_DEL) }
}

// TestWaitBlindly: when the kernel does not let a socket be watched, its reader and its
// writer wait all the same, and are as before when it does.
func TestWaitBlindly(t *testing.T) {
	client, server := listen(t, "127.0.0.1:0", Config{}), listen(t, "127.0.0.1:0", Config{})
	mendReader, mendWriter := unwatchable(t, server, server.arrivals), unwatchable(t, client, client.room)
	w, r, in := client.NewWriter(1), server.NewReader(1), NewBatch(1)
	out := []Message{*message(at(server, "127.0.0.1"), 100, 100)}
	full := false
	w.send = func(fd int, hdrs []unix.Mmsghdr) (int, unix.Errno) {
		if full = !full; full {
			return 0, unix.EAGAIN
		}
		return sendmmsg(fd, hdrs)
	}
	for _, mend := range []func(){func() {}, func() { mendReader(); mendWriter() }} {
		mend()
		server.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
		if _, err := r.ReadBatch(in); err != os.ErrDeadlineExceeded {
			t.Errorf("nothing came: %v", err)
		}
		server.SetReadDeadline(time.Now().Add(10 * time.Second))
		var writing sync.WaitGroup
		writing.Go(func() {
			if err := w.WriteBatch(out); err != nil || out[0].Status != Sent {
				t.Error(err, out[0].Status)
			}
		})
		if _, err := r.ReadBatch(in); err != nil || in[0].N != 100 {
			t.Errorf("%v, %d bytes", err, in[0].N)
		}
		writing.Wait()
	}
	if got := server.watchers(t) + client.watchers(t); got != 2 {
		t.Errorf("%d are watched in the end, want both", got)
	}
}

// TestCloseEndsBlindWaiting of a reader.
func TestCloseEndsBlindWaiting(t *testing.T) {
	c := listen(t, "127.0.0.1:0", Config{})
	unwatchable(t, c, c.arrivals)
	ended := make(chan error, 1)
	go func() {
		_, err := c.NewReader(1).ReadBatch(NewBatch(1))
		ended <- err
	}()
	c.Close()
	if err := <-ended; err != net.ErrClosed {
		t.Errorf("waiting ended with %v", err)
	}
}
