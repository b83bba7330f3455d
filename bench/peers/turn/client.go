package turn

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"time"

	"github.com/pion/stun/v4"
)

// HeaderBytes is what stands in front of each datagram of a channel.
const HeaderBytes = 4

// FirstChannel is the lowest channel number (RFC 8656, section 12).
const FirstChannel = 0x4000

const (
	answerTimeout = 300 * time.Millisecond
	tries         = 20   // the server may be starting, or lose some
	maxMessage    = 1500 // bytes, more than a server answers with
)

// ErrNoAnswer says that the server has answered none of several requests.
var ErrNoAnswer = errors.New("the TURN server does not answer")

// Credential is a user of the server.
type Credential struct{ User, Password string }

// Client is a client's allocation, as long as its socket or another one with the
// same address sends. It is for one goroutine at a time.
type Client struct {
	Relayed netip.AddrPort // the address that peers send to

	conn         net.PacketConn
	server       net.Addr
	credential   Credential
	realm, nonce string
}

// Allocate gets a relayed address for the socket, which stays the caller's.
func Allocate(ctx context.Context, conn net.PacketConn, server netip.AddrPort, user Credential) (*Client, error) {
	c := &Client{conn: conn, server: net.UDPAddrFromAddrPort(server), credential: user}
	if err := c.allocate(ctx); err != nil {
		return nil, fmt.Errorf("allocate: %w", err)
	}
	return c, nil
}

func (c *Client) allocate(ctx context.Context) error {
	answer, err := c.ask(ctx, stun.MethodAllocate, requestedUDP{})
	if err != nil {
		return err
	}
	c.Relayed, err = addressIn(answer, stun.AttrXORRelayedAddress)
	return err
}

// Bind makes the channel lead to the peer. The server then also lets through what
// the peer sends.
func (c *Client) Bind(ctx context.Context, channel uint16, peer netip.AddrPort) error {
	if _, err := c.ask(ctx, stun.MethodChannelBind, channelNumber(channel), peerAddress(peer)); err != nil {
		return fmt.Errorf("bind a channel: %w", err)
	}
	return nil
}

// Header is what comes before a payload of n bytes.
func Header(channel uint16, n int) []byte {
	return binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint16(nil, channel), uint16(n))
}

// ask sends a request until it is answered, and once more with a credential if the
// server wants that.
func (c *Client) ask(ctx context.Context, method stun.Method, what ...stun.Setter) (*stun.Message, error) {
	for refused := 0; ; refused++ {
		answer, err := c.exchange(ctx, append([]stun.Setter{stun.TransactionID, stun.NewType(method, stun.ClassRequest)}, c.signed(what)...))
		if err != nil || answer.Type.Class == stun.ClassSuccessResponse {
			return answer, err
		}
		var code stun.ErrorCodeAttribute
		if err := code.GetFrom(answer); err != nil {
			return nil, err
		}
		if refused > 0 || code.Code != stun.CodeUnauthorized && code.Code != stun.CodeStaleNonce {
			return nil, fmt.Errorf("the TURN server refuses: %s", code)
		}
		if err := c.learn(answer); err != nil {
			return nil, err
		}
	}
}

// exchange sends a request and waits for the answer that has its transaction ID.
func (c *Client) exchange(ctx context.Context, request []stun.Setter) (*stun.Message, error) {
	m, err := stun.Build(request...)
	if err != nil {
		return nil, err
	}
	defer c.conn.SetReadDeadline(time.Time{})
	for range tries {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if _, err := c.conn.WriteTo(m.Raw, c.server); err != nil {
			return nil, err
		}
		answer, err := c.answerTo(m.TransactionID)
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			return answer, err
		}
	}
	return nil, ErrNoAnswer
}

// answerTo reads until there is the answer, and for answerTimeout at most.
func (c *Client) answerTo(id [stun.TransactionIDSize]byte) (*stun.Message, error) {
	c.conn.SetReadDeadline(time.Now().Add(answerTimeout))
	for buf := make([]byte, maxMessage); ; {
		n, _, err := c.conn.ReadFrom(buf)
		if err != nil {
			return nil, err
		}
		answer := stun.New()
		if err := stun.Decode(buf[:n], answer); err == nil && answer.TransactionID == id {
			return answer, nil
		}
	}
}
