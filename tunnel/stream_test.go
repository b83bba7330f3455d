package tunnel_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/tunnel"
)

// TestStreamHalfClose: the end of what one side sends is seen, and the other direction goes on.
func TestStreamHalfClose(t *testing.T) {
	w := newWorld(t)
	w.listen(tunnel.ListenConfig{}, handlers{"sum": func(s *tunnel.Stream) {
		defer s.Close()
		digest, _, err := sum(s)
		if err != nil {
			t.Error(err)
		}
		s.Write(digest[:])
	}})
	s := w.open(w.dial(), "sum")
	if _, err := io.Copy(s, content(3<<20)); err != nil {
		t.Fatal(err)
	}
	s.CloseWrite()
	got, err := io.ReadAll(s)
	want, _, _ := sum(content(3 << 20))
	if err != nil || !bytes.Equal(got, want[:]) {
		t.Errorf("%x, %v; want %x", got, err, want)
	}
	if _, err := s.Write([]byte("more")); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Write after CloseWrite: %v, want net.ErrClosed", err)
	}
}

// TestStreamRefused: Open does not wait for the router's word; the first Read has it.
func TestStreamRefused(t *testing.T) {
	w := newWorld(t)
	w.listen(tunnel.ListenConfig{}, handlers{
		"down": func(s *tunnel.Stream) {
			if err := s.Refuse("service_down"); err != nil {
				t.Error(err)
			}
			if err := s.Refuse("internal"); !errors.Is(err, net.ErrClosed) {
				t.Errorf("second Refuse: %v", err)
			}
			if _, err := s.Write([]byte("x")); !errors.Is(err, net.ErrClosed) {
				t.Errorf("Write after Refuse: %v", err)
			}
		},
		"odd": func(s *tunnel.Stream) { s.Refuse("made_up") },
	})
	cfg := w.dialConfig()
	cfg.Router.Grant = w.grant(w.device.PublicKey(), time.Hour, "down", "odd", "none")
	tun := w.dialWith(cfg)
	for service, code := range map[string]string{
		"down": "service_down", "none": "unknown_service", "other": "service_not_granted", "odd": "made_up",
	} {
		t.Run(service, func(t *testing.T) {
			s := w.open(tun, service)
			for range 2 { // the refusal stays
				_, err := s.Read(make([]byte, 1))
				wantRefusal(t, err, "router", code)
			}
			if err := s.Ready(); !errors.Is(err, &tunnel.RefusedError{Code: code}) {
				t.Errorf("Ready: %v", err)
			}
		})
	}
}

func TestStreamUnnameable(t *testing.T) {
	w := newWorld(t)
	w.listen(tunnel.ListenConfig{}, handlers{"echo": echo})
	tun := w.dial()
	for _, name := range []string{"", "UPPER", "a b", "x/y", "abcdefghijklmnopqrstuvwxyz0123456789"} {
		if _, err := tun.Open(w.context(), name); err == nil {
			t.Errorf("a stream for %q was opened", name)
		}
	}
	w.wantEcho(tun, "the tunnel lives on")
}

// TestStreamDeadlines: a deadline that passes before the router's word does not spoil the stream.
func TestStreamDeadlines(t *testing.T) {
	w := newWorld(t)
	talk := make(chan struct{})
	w.listen(tunnel.ListenConfig{}, handlers{"slow": func(s *tunnel.Stream) {
		defer s.Close()
		<-talk
		io.WriteString(s, "at last")
	}})
	s := w.open(w.dial(), "slow")
	for range 2 {
		s.SetReadDeadline(time.Now().Add(time.Millisecond))
		_, err := s.Read(make([]byte, 1))
		var timeout net.Error
		if !errors.Is(err, os.ErrDeadlineExceeded) || !errors.As(err, &timeout) || !timeout.Timeout() {
			t.Fatalf("got %v, want a time-out", err)
		}
	}
	close(talk)
	s.SetReadDeadline(time.Time{})
	if got, err := io.ReadAll(s); err != nil || string(got) != "at last" {
		t.Errorf("%q, %v", got, err)
	}
}

// TestStreamCloseDuringWrite: Close ends a Write that waits for its reader, and does not wait itself.
func TestStreamCloseDuringWrite(t *testing.T) {
	w := newWorld(t)
	release := make(chan struct{})
	w.listen(tunnel.ListenConfig{}, handlers{"stuck": func(s *tunnel.Stream) {
		s.Ready()
		<-release // and reads nothing
		s.Close()
	}})
	defer close(release)
	s := w.open(w.dial(), "stuck")
	if err := s.Ready(); err != nil {
		t.Fatal(err)
	}
	written := make(chan error, 1)
	go func() {
		_, err := s.Write(make([]byte, 64<<20)) // more than all windows
		written <- err
	}()
	s.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
	s.Read(make([]byte, 1)) // the time that Write needs to get stuck
	s.Close()
	if err := <-written; !errors.Is(err, net.ErrClosed) {
		t.Errorf("Write: %v, want net.ErrClosed", err)
	}
	if err := s.Close(); err != nil {
		t.Errorf("second Close: %v", err)
	}
}

// TestStreamAbort: the other end sees an error, not an end.
func TestStreamAbort(t *testing.T) {
	w := newWorld(t)
	seen := make(chan error, 1)
	w.listen(tunnel.ListenConfig{}, handlers{
		"there": func(s *tunnel.Stream) { s.Ready(); s.Abort() },
		"here": func(s *tunnel.Stream) {
			_, err := io.Copy(io.Discard, s)
			seen <- err
			s.Close()
		},
	})
	tun := w.dial()
	there := w.open(tun, "there")
	if _, err := io.ReadAll(there); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("the router's Abort: %v, want ECONNRESET", err)
	}
	here := w.open(tun, "here")
	io.WriteString(here, "some")
	if err := here.Ready(); err != nil {
		t.Fatal(err)
	}
	here.Abort()
	if err := <-seen; !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("the device's Abort: %v, want ECONNRESET", err)
	}
	if _, err := here.Read(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Read after Abort: %v, want net.ErrClosed", err)
	}
}

// TestStreams has many streams at once, more than a tunnel allows, none in another's way.
func TestStreams(t *testing.T) {
	w := newWorld(t)
	w.listen(tunnel.ListenConfig{}, handlers{"echo": echo})
	tun := w.dial()
	const streams, each = 300, 20 << 10
	var all sync.WaitGroup
	for i := range streams {
		all.Go(func() {
			s, err := tun.Open(w.context(), "echo")
			if err != nil {
				t.Error(err)
				return
			}
			defer s.Close()
			mark := fmt.Appendf(nil, "%08d", i)
			go func() {
				s.Write(bytes.Repeat(mark, each/len(mark)))
				s.CloseWrite()
			}()
			got, err := io.ReadAll(s)
			if err != nil || !bytes.Equal(got, bytes.Repeat(mark, each/len(mark))) {
				t.Errorf("stream %d: %d bytes, %v", i, len(got), err)
			}
		})
	}
	all.Wait()
}

// TestStreamNames: who is at the other end, and what for.
func TestStreamNames(t *testing.T) {
	w := newWorld(t)
	device := make(chan tunnel.Device, 1)
	l := w.listen(tunnel.ListenConfig{}, handlers{"who": func(s *tunnel.Stream) {
		device <- s.Device()
		s.Close()
	}})
	tun := w.dial()
	s := w.open(tun, "who")
	got := <-device
	if got.ID() != w.device.DeviceID() || got.Grant.Role != auth.RoleOwner || got.Grant.Serial != 1 {
		t.Errorf("the router sees %v with %+v", got.ID(), got.Grant)
	}
	if tun.Router() != w.router.RouterID() || len(s.Device().Key) != 0 || s.Service() != "who" {
		t.Errorf("the device sees router %v, device %v, service %q", tun.Router(), s.Device(), s.Service())
	}
	if a := s.RemoteAddr(); a.Network() != "lethe" || a.String() != "lethe:who" || s.LocalAddr() != a {
		t.Errorf("addresses %v and %v", s.LocalAddr(), a)
	}
	if want := "lethe:" + w.router.RouterID().String(); l.Addr().String() != want {
		t.Errorf("listener at %v, want %s", l.Addr(), want)
	}
}
