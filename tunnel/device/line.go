package device

import (
	"context"
	"io/fs"
	"net"
	"os"
	"slices"
	"time"

	"github.com/lethe-relay/lethe/tunnel"
)

// How a link changes from one tunnel to the next.

// linger is how long a tunnel that nobody uses any more is left open: what was
// written last is still on its way.
const linger = 5 * time.Second

// refresh sees that the line is alive and as good as the folder's grant makes it;
// the caller has the turn.
func (l *Link) refresh(ctx context.Context) error {
	alive := l.line != nil && l.line.Err() == nil && !l.line.Stalled()
	if alive && !l.outdated() {
		return nil
	}
	err := l.dial(ctx)
	if alive && ctx.Err() == nil && l.ctx.Err() == nil {
		return nil // with the old one, if need be
	}
	return err
}

// outdated tells whether the folder has a newer grant than the one that was
// dialled with; the caller has the turn. Each stream asks, so the files are read
// only when the grant's has changed.
func (l *Link) outdated() bool {
	file := l.grantFile()
	if file == nil || sameFile(file, l.line.file) {
		return false
	}
	r, err := l.store.Router(l.name)
	if err != nil || r.ID != l.id {
		return false
	}
	if supersedes(r.Grant, l.line.grant) {
		return true
	}
	l.line.file = file
	return false
}

// grantFile is nil if the router is not in the folder.
func (l *Link) grantFile() fs.FileInfo {
	info, err := os.Stat(l.store.path(l.name, grantSuffix))
	if err != nil {
		return nil
	}
	return info
}

// sameFile tells whether a file is what it was; package statefile makes a new one
// for each change.
func sameFile(now, before fs.FileInfo) bool {
	return before != nil && os.SameFile(now, before) && now.ModTime().Equal(before.ModTime()) && now.Size() == before.Size()
}

// dial puts a new tunnel in the place of the old one; the caller has the turn.
// Close breaks dialling off.
func (l *Link) dial(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := context.AfterFunc(l.ctx, cancel)
	defer stop()
	file := l.grantFile() // before it is read: what comes between is seen at the next use
	cfg := l.config()
	t, err := tunnel.Dial(ctx, cfg)
	if l.ctx.Err() != nil {
		if err == nil {
			t.Close()
		}
		return net.ErrClosed
	}
	if err != nil {
		return err
	}
	if l.line != nil {
		l.leave(l.line)
	}
	l.line = &line{Tunnel: t, grant: cfg.Router.Grant, file: file}
	return nil
}

// config is how to dial now; the caller has the turn. The folder has the latest
// grant, whichever program of this device was given it.
func (l *Link) config() tunnel.DialConfig {
	if r, err := l.store.Router(l.name); err == nil && r.ID == l.id {
		l.router = r.Router
	}
	login, _, _ := l.store.Login(l.router.Relay) // without one the account is missing, which the policy judges
	return tunnel.DialConfig{
		Identity: l.identity, Router: l.router, Environment: l.store.Environment, IDToken: login.IDToken,
		Renewed: l.renewed,
	}
}

// leave notes that the line gets no new streams, and ends it when it has none.
func (l *Link) leave(at *line) {
	l.mu.Lock()
	defer l.mu.Unlock()
	at.left = true
	l.left = slices.DeleteFunc(l.left, func(at *line) bool { return at.Err() != nil })
	l.left = append(l.left, at)
	l.endUnusedLocked(at)
}

// release ends one use of the line.
func (l *Link) release(at *line) {
	l.mu.Lock()
	defer l.mu.Unlock()
	at.uses--
	l.endUnusedLocked(at)
}

// endUnusedLocked ends a line that was left and that nobody uses, a while later.
// Once Close has begun, it does so itself.
func (l *Link) endUnusedLocked(at *line) {
	if !at.left || at.uses > 0 || l.ctx.Err() != nil {
		return
	}
	l.left = slices.DeleteFunc(l.left, func(other *line) bool { return other == at })
	l.ending.Go(func() {
		timer := time.NewTimer(l.linger)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-l.ctx.Done():
		}
		at.Close()
	})
}
