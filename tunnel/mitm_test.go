package tunnel_test

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/quic-go/quic-go"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/internal/wire"
	"github.com/lethe-relay/lethe/tunnel"
)

// The sentences that a router's log has when it refuses a tunnel.
const (
	logDeviceMismatch = "the device's key is not the key that its grant names"
	logRefusedByPeer  = "the other end, which should be the device, refused our key"
)

// victim makes a router at the evil relay, and its device. No service of it may ever be reached.
func (e *evilRelay) victim(log *logbook) *world {
	w := &world{t: e.t, url: e.url, router: newIdentity(e.t), device: newIdentity(e.t)}
	w.listen(tunnel.ListenConfig{Log: log.logger()}, handlers{"secret": func(s *tunnel.Stream) {
		e.t.Error("a service was reached")
		s.Close()
	}})
	return w
}

// wantRouterMismatch checks what the device is told when somebody else answers for its router.
func wantRouterMismatch(t *testing.T, err error) {
	t.Helper()
	var mismatch *auth.KeyMismatchError
	if !errors.As(err, &mismatch) || mismatch.Peer != auth.PeerRouter || !strings.Contains(err.Error(), "someone between you and the router") {
		t.Errorf("the device got %v, want a *KeyMismatchError about the router", err)
	}
}

// TestMitmSwapsKeys: the relay ends the device's tunnel itself, and opens another to the router, with its own key.
func TestMitmSwapsKeys(t *testing.T) {
	e, log := newEvilRelay(t), &logbook{}
	evil := newIdentity(t)
	dialled := make(chan error, 1)
	w := e.victim(log)
	e.onOpen(func(device ed25519.PublicKey, m *wire.Open) wire.Message {
		near, far := e.newSession(), e.newSession()
		listener, err := e.end(w.context(), near.Router).Listen(identityTLS(t, evil, wire.ALPNTunnel), nil)
		if err != nil {
			t.Error(err)
		}
		t.Cleanup(func() { listener.Close() })
		if err := e.push(w.router.RouterID(), far.Router, device, m.Grant, m.Purpose); err != nil {
			t.Errorf("the router refused what is right so far: %v", err)
		}
		go func() { dialled <- useService(w.context(), e.end(w.context(), far.Device), e, evil) }()
		return opened(near.Device)
	})
	_, err := tunnel.Dial(w.context(), w.dialConfig())
	wantRouterMismatch(t, err)
	var refused *quic.TransportError
	if err := <-dialled; !errors.As(err, &refused) || !refused.Remote || !refused.ErrorCode.IsCryptoError() {
		t.Errorf("the relay got %v from the router, want its refusal of the key", err)
	}
	eventually(t, "the router's log", func() bool { return strings.Contains(log.String(), logDeviceMismatch) })
}

// useService asks a router for the service, as fast as TLS 1.3 lets a client, and returns the error of it.
func useService(ctx context.Context, transport *quic.Transport, e *evilRelay, id *auth.Identity) error {
	conn, err := transport.Dial(ctx, tunnel.VirtualPeer(), identityTLS(e.t, id, wire.ALPNTunnel), nil)
	if err != nil {
		return err
	}
	stream, err := conn.OpenStreamSync(ctx)
	if err != nil {
		return err
	}
	if err := wire.WriteMessage(stream, &wire.ServiceOpen{Service: "secret"}); err != nil {
		return err
	}
	_, err = wire.Expect[*wire.ServiceReady](stream)
	return err
}

// TestMitmJoinsTunnels: the relay joins one device's leg with another router's leg. Both ends refuse.
func TestMitmJoinsTunnels(t *testing.T) {
	e, logA, logB := newEvilRelay(t), &logbook{}, &logbook{}
	a, b := e.victim(logA), e.victim(logB)
	grantB := b.dialConfig().Router.Grant // seen when b's device opened a tunnel
	e.onOpen(func(ed25519.PublicKey, *wire.Open) wire.Message {
		s := e.newSession()
		if err := e.push(b.router.RouterID(), s.Router, b.device.PublicKey(), grantB, wire.PurposeTunnel); err != nil {
			t.Error(err)
		}
		return opened(s.Device)
	})
	_, err := tunnel.Dial(a.context(), a.dialConfig())
	wantRouterMismatch(t, err)
	eventually(t, "the log of the other router", func() bool { return strings.Contains(logB.String(), logRefusedByPeer) })
}

// TestMitmJoinsDevices: two devices of one router, joined crosswise. The router is the right one, so the device
// hears of it from the router.
func TestMitmJoinsDevices(t *testing.T) {
	e, log := newEvilRelay(t), &logbook{}
	w := e.victim(log)
	other := newIdentity(t)
	e.onOpen(func(ed25519.PublicKey, *wire.Open) wire.Message {
		s := e.newSession()
		grant := w.grant(other.PublicKey(), time.Hour, "secret")
		if err := e.push(w.router.RouterID(), s.Router, other.PublicKey(), grant, wire.PurposeTunnel); err != nil {
			t.Error(err)
		}
		return opened(s.Device)
	})
	tun, err := tunnel.Dial(w.context(), w.dialConfig())
	if err == nil { // TLS 1.3: the client is done before the server has judged it
		defer tun.Close()
		var s *tunnel.Stream
		if s, err = tun.Open(w.context(), "secret"); err == nil {
			_, err = s.Read(make([]byte, 1))
		}
		<-tun.Done()
		if !errors.Is(tun.Err(), err) && tun.Err().Error() != err.Error() {
			t.Errorf("the stream ended with %v, the tunnel with %v", err, tun.Err())
		}
	}
	var refused *tunnel.PeerRefusedKeyError
	if !errors.As(err, &refused) || refused.Peer != "router" {
		t.Errorf("the device got %v, want a *PeerRefusedKeyError of the router", err)
	}
	eventually(t, "the router's log", func() bool { return strings.Contains(log.String(), logDeviceMismatch) })
}

// TestMitmOffers: what a relay makes up, or has kept from others, is refused by the router before anything is bound.
func TestMitmOffers(t *testing.T) {
	e := newEvilRelay(t)
	w, other := e.victim(&logbook{}), e.victim(&logbook{})
	device, stranger := w.device.PublicKey(), newIdentity(t).PublicKey()
	mine := w.dialConfig().Router.Grant
	altered := append([]byte(nil), mine...)
	altered[len(altered)-1] ^= 1
	future, err := auth.Issue(w.router, auth.Grant{
		Device: device, Role: auth.RoleOwner, Services: []string{"secret"},
		NotBefore: time.Now().Add(time.Hour), NotAfter: time.Now().Add(2 * time.Hour), Serial: 1,
	}, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		device  ed25519.PublicKey
		grant   []byte
		purpose wire.Purpose
		want    wire.Code
	}{
		"another device's key":     {stranger, mine, wire.PurposeTunnel, wire.CodeGrantInvalid},
		"another router's grant":   {device, other.grant(device, time.Hour, "secret"), wire.PurposeTunnel, wire.CodeGrantInvalid},
		"an altered grant":         {device, altered, wire.PurposeTunnel, wire.CodeGrantInvalid},
		"no grant":                 {device, nil, wire.PurposeTunnel, wire.CodeGrantInvalid},
		"an old grant":             {device, w.grant(device, -time.Second, "secret"), wire.PurposeTunnel, wire.CodeGrantExpired},
		"a grant of the future":    {device, future, wire.PurposeTunnel, wire.CodeGrantNotYetValid},
		"pairing that nobody asks": {device, mine, wire.PurposePairing, wire.CodePairingClosed},
	} {
		t.Run(name, func(t *testing.T) {
			s := e.newSession()
			if err := e.push(w.router.RouterID(), s.Router, test.device, test.grant, test.purpose); !errors.Is(err, test.want) {
				t.Errorf("the router answered %v, want %s", err, test.want)
			}
			if s.Router.Bound() {
				t.Error("the router bound its leg")
			}
		})
	}
}
