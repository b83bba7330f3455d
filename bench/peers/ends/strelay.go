package ends

import (
	"context"
	"net"

	"github.com/lethe-relay/lethe/bench/peers/strelay"
)

// connectStrelay: the far end has joined the relay, the near end asks for it.
func (e *ends) connectStrelay(ctx context.Context) (near, far net.Conn, err error) {
	waiting, err := joined(ctx, e.config.Relay)
	if err != nil {
		return nil, nil, err
	}
	e.closer.later(waiting.Close)
	asking, err := strelay.Dial(ctx, e.config.Relay)
	if err != nil {
		return nil, nil, err
	}
	defer asking.Close()
	nearKey, err := asking.Connect(waiting.ID)
	if err != nil {
		return nil, nil, err
	}
	farKey, err := waiting.Invited()
	if err != nil {
		return nil, nil, err
	}
	if near, err = e.strelaySession(ctx, nearKey); err != nil {
		return nil, nil, err
	}
	far, err = e.strelaySession(ctx, farKey)
	return near, far, err
}

func (e *ends) strelaySession(ctx context.Context, key []byte) (net.Conn, error) {
	conn, err := strelay.Session(ctx, e.config.Relay, key)
	if err == nil {
		e.closer.later(func() { conn.Close() })
	}
	return conn, err
}

// joined is a client that others may ask for.
func joined(ctx context.Context, relay string) (*strelay.Client, error) {
	client, err := retry(ctx, func() (*strelay.Client, error) { return strelay.Dial(ctx, relay) })
	if err != nil {
		return nil, err
	}
	if err := client.Join(); err != nil {
		client.Close()
		return nil, err
	}
	return client, nil
}

func (c Config) idleStrelay(ctx context.Context) (func(), error) {
	client, err := joined(ctx, c.Relay)
	if err != nil {
		return nil, err
	}
	return client.Close, nil
}
