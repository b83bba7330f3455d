package device

import (
	"context"
	"io"
	"sync"
	"testing"
	"time"

	"github.com/lethe-relay/lethe/auth/ecv"
	"github.com/lethe-relay/lethe/internal/relaytest"
	"github.com/lethe-relay/lethe/internal/splice"
	"github.com/lethe-relay/lethe/tunnel"
)

// stepUpRouter lets nobody in with the third grant, says how to get the fourth, and lets that in. Services echo.
type stepUpRouter struct {
	store *Store
	home  *Router
	shown chan uint64 // the number of the grant of each tunnel
}

func newStepUpRouter(t *testing.T) *stepUpRouter {
	t.Helper()
	s, _ := newStore(t)
	id, relay := newIdentity(t), relaytest.Start(t, nil)
	r := &stepUpRouter{store: s, home: putFor(t, s, "home", id, relay), shown: make(chan uint64, 8)}
	fresh := issue(t, id, s.Identity(), 4)
	l, err := tunnel.Listen(t.Context(), tunnel.ListenConfig{Identity: id, Relay: relay, Judging: &tunnel.Judging{
		Judge: func(c tunnel.Case) tunnel.Ruling {
			r.shown <- c.Device.Grant.Serial
			return tunnel.Ruling{Judgement: ecv.Judgement{Verdict: ecv.Allow}}
		},
		Confirm: func(context.Context, tunnel.Case, string) (tunnel.Ruling, error) {
			return tunnel.Ruling{Judgement: ecv.Judgement{Verdict: ecv.Allow}, Grant: fresh}, nil
		},
	}})
	if err != nil {
		t.Fatal(err)
	}
	var running sync.WaitGroup
	running.Go(func() {
		for {
			s, err := l.Accept()
			if err != nil {
				return
			}
			running.Go(func() { io.Copy(s, s); s.Close() })
		}
	})
	t.Cleanup(func() { l.Close(); running.Wait() })
	return r
}

// link is a link that leaves tunnels at once.
func (r *stepUpRouter) link(t *testing.T) *Link {
	l := r.store.Link(r.home)
	l.linger = 0
	t.Cleanup(func() { l.Close() })
	return l
}

func (r *stepUpRouter) wantShown(t *testing.T, serial uint64) {
	t.Helper()
	select {
	case got := <-r.shown:
		if got != serial {
			t.Fatalf("a tunnel was dialled with grant %d, want %d", got, serial)
		}
	case <-time.After(patience):
		t.Fatalf("no tunnel was dialled with grant %d", serial)
	}
}

func open(t *testing.T, link *Link) splice.Conn {
	t.Helper()
	s, err := link.Open(t.Context(), "echo")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func wantEcho(t *testing.T, s splice.Conn) {
	t.Helper()
	got := make([]byte, 5)
	if _, err := io.WriteString(s, "hello"); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(s, got); err != nil || string(got) != "hello" {
		t.Fatalf("%q, %v", got, err)
	}
}

// TestFreshGrantIsUsed: after a confirmation, this link and that of another program use a tunnel with the fresh
// grant, one for all; streams of the old one go on, and it ends with the last of them.
func TestFreshGrantIsUsed(t *testing.T) {
	r := newStepUpRouter(t)
	link, beside := r.link(t), r.link(t)
	first, another := open(t, beside), open(t, beside)
	r.wantShown(t, 3)
	wantEcho(t, first)
	old := beside.line

	tun, err := link.Tunnel(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	r.wantShown(t, 3)
	if err := tun.Confirm(t.Context(), "1234"); err != nil || link.Kept() != nil {
		t.Fatal(err, link.Kept())
	}
	for name, l := range map[string]*Link{"the same link": link, "another program": beside} {
		s := open(t, l)
		defer s.Close()
		r.wantShown(t, 4)
		wantEcho(t, s)
		now := l.line
		if next := open(t, l); l.line != now {
			t.Errorf("%s: dialled again for the same grant", name)
		} else {
			next.Close()
		}
	}
	if tun.Err() != nil {
		t.Error("a tunnel that was given away was ended:", tun.Err())
	}
	another.Close()
	another.Close() // counts once
	wantEcho(t, first)
	if old.Err() != nil {
		t.Error("the old tunnel has ended, with a stream in it:", old.Err())
	}
	first.Close()
	select {
	case <-old.Done():
	case <-time.After(patience):
		t.Error("the old tunnel goes on without streams")
	}
}

// TestFreshGrantAndNoRelay: a tunnel that lives is better than none.
func TestFreshGrantAndNoRelay(t *testing.T) {
	r := newStepUpRouter(t)
	link := r.link(t)
	wantEcho(t, open(t, link))
	r.wantShown(t, 3)
	old := link.line
	moved := *r.home
	moved.Relay.Pin[0] ^= 1 // another relay, which this device does not trust
	moved.Grant = issue(t, newIdentity(t), r.store.Identity(), 4)
	if err := r.store.write(&moved); err != nil {
		t.Fatal(err)
	}
	wantEcho(t, open(t, link))
	if link.line != old {
		t.Error("it was dialled all the same")
	}
}

// TestLinkLooksOnce: a folder that does not change is not read for each stream.
func TestLinkLooksOnce(t *testing.T) {
	r := newStepUpRouter(t)
	link := r.link(t)
	open(t, link).Close()
	again := *r.home // the same number in a new file, as a restored backup would have
	if err := r.store.write(&again); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		open(t, link).Close()
		if file := link.grantFile(); !sameFile(file, link.line.file) {
			t.Error("the file is read again for the next stream")
		}
	}
	if len(r.shown) != 1 {
		t.Errorf("%d tunnels were dialled", len(r.shown))
	}
}
