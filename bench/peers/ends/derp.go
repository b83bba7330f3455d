package ends

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"

	"tailscale.com/derp"
	"tailscale.com/types/key"
)

// derpEnd is a client of the relay that speaks with one other, as a stream: a
// write of up to 64 KiB is a packet.
type derpEnd struct {
	client *derp.Client
	conn   net.Conn
	peer   key.NodePublic
	unread []byte // of the last packet; valid until the next Recv
}

// Write sends one packet.
func (e *derpEnd) Write(b []byte) (int, error) { return len(b), e.client.Send(e.peer, b) }

// Read reads what is left of the last packet, or the next one.
func (e *derpEnd) Read(b []byte) (int, error) {
	for len(e.unread) == 0 {
		m, err := e.client.Recv()
		if err != nil {
			return 0, err
		}
		if packet, ok := m.(derp.ReceivedPacket); ok {
			e.unread = packet.Data
		}
	}
	n := copy(b, e.unread)
	e.unread = e.unread[n:]
	return n, nil
}

// connectDERP: both ends are clients, each with the other's key.
func (e *ends) connectDERP(ctx context.Context) (near, far *derpEnd, err error) {
	if near, err = e.derpClient(ctx); err != nil {
		return nil, nil, err
	}
	if far, err = e.derpClient(ctx); err != nil {
		return nil, nil, err
	}
	near.peer, far.peer = far.client.PublicKey(), near.client.PublicKey()
	return near, far, nil
}

func (e *ends) derpClient(ctx context.Context) (*derpEnd, error) {
	end, err := dialDERP(ctx, e.config.Relay)
	if err == nil {
		e.closer.later(func() { end.conn.Close() })
	}
	return end, err
}

// known waits until the relay has taken the client in, which it says first.
func (e *derpEnd) known() error {
	m, err := e.client.Recv()
	if _, ok := m.(derp.ServerInfoMessage); err == nil && !ok {
		return fmt.Errorf("derp: a relay that begins with %T", m)
	}
	return err
}

func (c Config) idleDERP(ctx context.Context) (func(), error) {
	end, err := dialDERP(ctx, c.Relay)
	if err != nil {
		return nil, err
	}
	return func() { end.conn.Close() }, nil
}

// dialDERP connects as derphttp does, over plain HTTP, without what that package
// has to watch the machine's networks, and waits until the relay has taken it in.
func dialDERP(ctx context.Context, relay string) (*derpEnd, error) {
	conn, err := retry(ctx, func() (net.Conn, error) { return dialTCP(ctx, relay) })
	if err != nil {
		return nil, err
	}
	end := &derpEnd{conn: conn}
	if end.client, err = upgrade(ctx, conn, relay); err == nil {
		err = end.known()
	}
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return end, nil
}

func upgrade(ctx context.Context, conn net.Conn, relay string) (*derp.Client, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+relay+"/derp", nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Upgrade", "DERP")
	request.Header.Set("Connection", "Upgrade")
	both := bufio.NewReadWriter(bufio.NewReader(conn), bufio.NewWriter(conn))
	if err := errors.Join(request.Write(both), both.Flush()); err != nil {
		return nil, err
	}
	answer, err := http.ReadResponse(both.Reader, request)
	if err != nil {
		return nil, err
	}
	if answer.StatusCode != http.StatusSwitchingProtocols {
		return nil, fmt.Errorf("derp: %s", answer.Status)
	}
	return derp.NewClient(key.NewNode(), conn, both, func(string, ...any) {})
}
