package ends

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"
	"time"
)

const (
	startPause   = 50 * time.Millisecond // between two tries to reach a program that is starting
	startTimeout = 10 * time.Second
)

// connect makes the two ends of a stream.
func (e *ends) connect(ctx context.Context) (near io.Writer, far io.Reader, err error) {
	switch e.config.Kind {
	case Strelay:
		near, far, err = e.connectStrelay(ctx)
	case DERP:
		near, far, err = e.connectDERP(ctx)
	case TCP:
		near, far, err = e.connectTCP(ctx)
	default:
		err = fmt.Errorf("there is no kind %q", e.config.Kind)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("the ends do not meet: %w", err)
	}
	return near, far, nil
}

// connectTCP: a connection, and nothing between its ends.
func (e *ends) connectTCP(ctx context.Context) (near, far net.Conn, err error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, nil, err
	}
	defer listener.Close()
	if near, err = dialTCP(ctx, listener.Addr().String()); err != nil {
		return nil, nil, err
	}
	e.closer.later(func() { near.Close() })
	if far, err = listener.Accept(); err != nil {
		return nil, nil, err
	}
	e.closer.later(func() { far.Close() })
	return near, far, nil
}

func dialTCP(ctx context.Context, address string) (net.Conn, error) {
	var dialer net.Dialer
	return dialer.DialContext(ctx, "tcp", address)
}

// retry calls dial until it succeeds, or fails otherwise than because nobody
// listens yet: the relay has just been started.
func retry[T any](ctx context.Context, dial func() (T, error)) (T, error) {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	for {
		value, err := dial()
		if !errors.Is(err, syscall.ECONNREFUSED) {
			return value, err
		}
		select {
		case <-time.After(startPause):
		case <-ctx.Done():
			return value, err
		}
	}
}
