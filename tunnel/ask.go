package tunnel

import (
	"context"
	"encoding/json"
	"fmt"
	"syscall"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/internal/wire"
)

// What a device may ask its relay, besides a session.

// RelayConfig says who asks which relay.
type RelayConfig struct {
	Identity *auth.Identity // the device's
	Relay    auth.RelayURL  // needs no token

	// Control is called with every socket before it is bound, as in
	// [net.ListenConfig], and keeps nothing of c. It may be nil.
	Control func(network, address string, c syscall.RawConn) error
}

// Issuer is the OpenID provider whose ID tokens a relay takes as accounts.
type Issuer struct {
	URL      string
	ClientID string
}

// AskIssuer asks where accounts come from; package tunnel/login goes on from
// there. Errors are those of [Dial] about the relay, and a [*RefusedError] with
// no_accounts.
func AskIssuer(ctx context.Context, cfg RelayConfig) (Issuer, error) {
	m, err := askRelay[*wire.Issuer](ctx, cfg, &wire.Login{})
	if err != nil {
		return Issuer{}, err
	}
	return Issuer{URL: m.URL, ClientID: m.ClientID}, nil
}

// Held is what a relay holds about a device and its sessions with one router.
// All of it is in memory, and is gone when the sessions are.
type Held struct {
	Sessions    uint64        `json:"sessions"`
	Bytes       uint64        `json:"bytes"`             // carried by them so far
	Connections uint64        `json:"connections"`       // of the device to the relay, with the one that asks
	Receipt     *auth.Receipt `json:"receipt,omitempty"` // of an erasure, signed by the relay; check it with [auth.Receipt.Verify]
}

// Inspect asks the relay what it holds about this device and its sessions with
// the router. With erase it ends them, and signs that it has. Errors are those
// of [Dial] about the relay.
func Inspect(ctx context.Context, cfg RelayConfig, router auth.RouterID, erase bool) (Held, error) {
	m, err := askRelay[*wire.Held](ctx, cfg, &wire.Inspect{Router: router, Erase: erase})
	if err != nil {
		return Held{}, err
	}
	held := Held{Sessions: m.Sessions, Bytes: m.Bytes, Connections: m.Connections}
	if len(m.Receipt) > 0 {
		held.Receipt = new(auth.Receipt)
		if err := json.Unmarshal(m.Receipt, held.Receipt); err != nil {
			return Held{}, fmt.Errorf("the relay's receipt can't be read: %w", err)
		}
	}
	return held, nil
}

// askRelay asks one question on a connection of its own.
func askRelay[Answer wire.Message](ctx context.Context, cfg RelayConfig, request wire.Message) (Answer, error) {
	var none Answer
	conn, err := dialRelay(ctx, cfg.Identity, cfg.Relay, cfg.Control)
	if err != nil {
		return none, err
	}
	defer conn.close()
	ctx, cancel := context.WithTimeout(ctx, openTimeout)
	defer cancel()
	answer, err := ask[Answer](ctx, conn, request)
	if err != nil {
		return none, relayError(cfg.Relay, err)
	}
	return answer, nil
}
