package tunnel

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/internal/wire"
)

const (
	retryFirst   = time.Second
	retrySlowest = time.Minute
)

// backoff spaces attempts: the bound of each pause is twice the last one's, and
// the pause a random part of it, so that routers that lost their relay together
// do not come back together.
type backoff struct {
	first time.Duration // the bound of the first pause
	bound time.Duration // of the last pause
}

func (b *backoff) next() time.Duration {
	b.bound = min(max(2*b.bound, b.first), retrySlowest)
	return b.bound/2 + rand.N(b.bound/2)
}

func (b *backoff) reset() { b.bound = 0 }

// firstRegistration tries until the relay answers; an answer that says no is final.
func (l *Listener) firstRegistration(ctx context.Context) (*relayConn, error) {
	pause := backoff{first: l.retry}
	for {
		conn, err := l.register(ctx)
		if err == nil || isFinal(err) {
			return conn, err
		}
		if ctx.Err() != nil {
			return nil, fmt.Errorf("%w (%w)", err, context.Cause(ctx))
		}
		l.wait(ctx, err, pauseAfter(err, &pause))
	}
}

// stayRegistered takes the relay's pushes, and registers again whenever the
// connection is lost. What a relay once accepted it may refuse for a while, so
// from here on no error is final.
func (l *Listener) stayRegistered(conn *relayConn) {
	pause := backoff{first: l.retry}
	for {
		pause.reset()
		err := l.takePushes(conn)
		for {
			if l.ctx.Err() != nil {
				return
			}
			l.wait(l.ctx, err, pauseAfter(err, &pause))
			if conn, err = l.register(l.ctx); err == nil {
				break
			}
		}
	}
}

// pauseAfter waits at least as long as the relay asks for. It waits longest when another agent has this router's key: two that
// displace each other should do it slowly.
func pauseAfter(err error, b *backoff) time.Duration {
	if errors.Is(err, &RefusedError{Code: string(wire.CodeReplaced)}) {
		b.bound = retrySlowest
	}
	var refused *RefusedError
	if errors.As(err, &refused) {
		return max(b.next(), refused.RetryAfter)
	}
	return b.next()
}

func (l *Listener) wait(ctx context.Context, why error, pause time.Duration) {
	l.cfg.Log.Warn("not registered", "error", why, "retry_in", pause.Round(100*time.Millisecond))
	select {
	case <-ctx.Done():
	case <-time.After(pause):
	}
}

func (l *Listener) register(ctx context.Context) (*relayConn, error) {
	conn, err := dialRelay(ctx, l.cfg.Identity, l.cfg.Relay, l.cfg.Control)
	if err != nil {
		return nil, err
	}
	registered, err := l.registerOn(ctx, conn)
	if err != nil {
		conn.close()
		return nil, err
	}
	l.cfg.Log.Info("registered", "presence_timeout", registered.PresenceTimeout, "idle_timeout", registered.IdleTimeout)
	return conn, nil
}

func (l *Listener) registerOn(ctx context.Context, conn *relayConn) (*wire.Registered, error) {
	ctx, cancel := context.WithTimeout(ctx, openTimeout)
	defer cancel()
	request := &wire.Register{Version: l.cfg.Version}
	if token := l.cfg.Relay.Token; !token.IsZero() {
		request.Token = token[:]
	}
	if l.cfg.Revocations != nil {
		request.Revocations = l.cfg.Revocations()
	}
	registered, err := ask[*wire.Registered](ctx, conn, request)
	if err != nil {
		return nil, relayError(l.cfg.Relay, err)
	}
	if registered.Newer {
		l.cfg.Log.Warn("the relay knows of revocations that this router does not: was its state restored from a backup? See who is paired, and revoke again")
	}
	return registered, nil
}

// Announce tells the relay that the revocations have changed. While the router
// is not registered there is nobody to tell: the next registration does it.
func (l *Listener) Announce(ctx context.Context) error {
	l.mu.Lock()
	conn := l.conn
	l.mu.Unlock()
	if conn == nil {
		return nil
	}
	_, err := l.registerOn(ctx, conn)
	return err
}

func (l *Listener) setConn(conn *relayConn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.conn = conn
}

// takePushes answers the relay until the connection ends, and says why it did.
func (l *Listener) takePushes(conn *relayConn) error {
	defer conn.close()
	l.setConn(conn)
	defer l.setConn(nil)
	for {
		stream, err := conn.AcceptStream(l.ctx)
		if err != nil {
			return relayError(l.cfg.Relay, err)
		}
		l.running.Go(func() { l.pushed(conn, stream) })
	}
}

// isFinal tells errors that trying again would not mend.
func isFinal(err error) bool {
	var mismatch *auth.KeyMismatchError
	var untrusted *UntrustedRelayError
	switch {
	case errors.As(err, &mismatch), errors.As(err, &untrusted):
		return true
	}
	var refused *RefusedError
	return errors.As(err, &refused) && refused.Code == string(wire.CodeNotEnrolled)
}
