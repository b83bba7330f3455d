package ends

import (
	"context"
	"net"
	"net/netip"

	"github.com/lethe-relay/lethe/bench/flows"
	"github.com/lethe-relay/lethe/bench/peers/turn"
)

// allocate makes an allocation over a socket.
func (c Config) allocate(ctx context.Context, conn net.PacketConn) (*turn.Client, error) {
	server, err := netip.ParseAddrPort(c.Relay)
	if err != nil {
		return nil, err
	}
	return turn.Allocate(ctx, conn, server, turn.Credential{User: c.User, Password: c.Password})
}

// meetTURNPeer: the near end is a client with a channel, the far end a plain
// socket that its relayed address sends to.
func (c Config) meetTURNPeer(ctx context.Context, source, sink *flows.Port, i int) (flows.Flow, error) {
	conn, err := source.Borrow(i)
	if err != nil {
		return flows.Flow{}, err
	}
	defer conn.Close()
	near, err := c.allocate(ctx, conn)
	if err != nil {
		return flows.Flow{}, err
	}
	return c.through(0), near.Bind(ctx, turn.FirstChannel, sink.Addr(i))
}

// meetTURNClients: both ends are clients, each the other's peer by its relayed
// address. So each datagram goes through the server twice.
func (c Config) meetTURNClients(ctx context.Context, source, sink *flows.Port, i int) (flows.Flow, error) {
	nearConn, err := source.Borrow(i)
	if err != nil {
		return flows.Flow{}, err
	}
	defer nearConn.Close()
	farConn, err := sink.Borrow(i)
	if err != nil {
		return flows.Flow{}, err
	}
	defer farConn.Close()
	near, err := c.allocate(ctx, nearConn)
	if err != nil {
		return flows.Flow{}, err
	}
	far, err := c.allocate(ctx, farConn)
	if err != nil {
		return flows.Flow{}, err
	}
	if err := near.Bind(ctx, turn.FirstChannel, far.Relayed); err != nil {
		return flows.Flow{}, err
	}
	return c.through(turn.HeaderBytes), far.Bind(ctx, turn.FirstChannel, near.Relayed)
}

// through is the way into a channel of the server. The far end gets so many bytes
// before each payload.
func (c Config) through(skip int) flows.Flow {
	return flows.Flow{
		To:     netip.MustParseAddrPort(c.Relay), // parsed before, to allocate
		Prefix: turn.Header(turn.FirstChannel, flows.PayloadSize),
		Skip:   skip,
	}
}

// idleAllocation is a client with a relayed address and no channel.
func (c Config) idleAllocation(ctx context.Context) (func(), error) {
	conn, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	if _, err := c.allocate(ctx, conn); err != nil {
		conn.Close()
		return nil, err
	}
	return func() { conn.Close() }, nil
}
