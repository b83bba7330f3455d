package tunnel_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"log"
	"net/http"
	"sync"
	"time"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/tunnel"
	"github.com/lethe-relay/lethe/tunnel/roundtrip"
)

// A device opens a tunnel to a router that it is paired with, and talks to a
// service of it.
func ExampleDial() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	relayURL, stopRelay := exampleRelay()
	defer stopRelay()
	device := exampleIdentity() // in real life from package tunnel/device
	router, stopRouter := exampleRouter(ctx, relayURL, device)
	defer stopRouter()

	t, err := tunnel.Dial(ctx, tunnel.DialConfig{Identity: device, Router: router})
	if err != nil {
		log.Panic(err)
	}
	defer t.Close()
	conn, err := t.Open(ctx, "echo")
	if err != nil {
		log.Panic(err)
	}
	defer conn.Close()
	fmt.Fprint(conn, "hello, home")
	conn.CloseWrite()
	answer, err := io.ReadAll(conn)
	fmt.Println(string(answer), err)
	fmt.Println(t.ConnectionState().TLS.CurveID)
	// Output:
	// hello, home <nil>
	// X25519MLKEM768
}

// A router serves HTTP to its devices: a Listener is a [net.Listener].
func ExampleListen() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	relayURL, stopRelay := exampleRelay()
	defer stopRelay()
	router, device := exampleIdentity(), exampleIdentity()

	l, err := tunnel.Listen(ctx, tunnel.ListenConfig{Identity: router, Relay: relayURL})
	if err != nil {
		log.Panic(err)
	}
	var serving sync.WaitGroup
	serving.Go(func() {
		http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprintf(w, "the router's page %s", r.URL.Path)
		}))
	})
	defer serving.Wait()
	defer l.Close()

	t, err := tunnel.Dial(ctx, tunnel.DialConfig{Identity: device, Router: tunnel.Router{
		Relay: relayURL, ID: router.RouterID(), Grant: exampleGrant(router, device),
	}})
	if err != nil {
		log.Panic(err)
	}
	defer t.Close()
	client := http.Client{Transport: roundtrip.New(t, "http")}
	defer client.CloseIdleConnections()
	resp, err := client.Get("http://router/status")
	if err != nil {
		log.Panic(err)
	}
	defer resp.Body.Close()
	page, _ := io.ReadAll(resp.Body)
	fmt.Println(resp.Status, string(page))
	// Output: 200 OK the router's page /status
}

// A device pairs with the router whose URI it has seen, and both end up with
// the same secret. The router's side here is what package tunnel/agent does.
func ExamplePair() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	relayURL, stopRelay := exampleRelay()
	defer stopRelay()
	router, device := exampleIdentity(), exampleIdentity()

	secret, err := auth.NewOneTimeSecret(rand.Reader)
	if err != nil {
		log.Panic(err)
	}
	window := auth.NewPairingWindow(router.RouterID(), secret, time.Now())
	l, err := tunnel.Listen(ctx, tunnel.ListenConfig{Identity: router, Relay: relayURL, Pairing: &tunnel.Pairing{
		Open: func() bool { return window.State(time.Now()) == nil },
		Pair: func(a tunnel.PairAttempt) ([]byte, string, error) {
			if err := window.Check(a.Proof[:], a.Exported.Binding, a.Device, time.Now()); err != nil {
				return nil, "", err
			}
			fmt.Println("the router pairs with:", a.DeviceName)
			return exampleGrant(router, device), "home", nil
		},
	}})
	if err != nil {
		log.Panic(err)
	}
	defer l.Close()

	uri := auth.PairingURI{Relay: relayURL, Router: router.RouterID(), Secret: secret} // the QR code
	paired, err := tunnel.Pair(ctx, tunnel.PairConfig{Identity: device, URI: uri, Name: "a phone"})
	if err != nil {
		log.Panic(err)
	}
	grant, err := auth.Verify(paired.Router.Grant, router.RouterID(), device.PublicKey(), time.Now())
	fmt.Println("the device is paired with:", paired.RouterName, grant.Services, err)

	_, err = tunnel.Pair(ctx, tunnel.PairConfig{Identity: exampleIdentity(), URI: uri})
	fmt.Println(err)
	// Output:
	// the router pairs with: a phone
	// the device is paired with: home [echo http] <nil>
	// the router is not waiting for a pairing (pairing_closed): the URI has expired, was used already, or met too many wrong guesses; ask whoever shared it for a new one, or run 'lethe-agent pair' on the router
}

// A tunnel moves to another network while it lives.
func ExampleTunnel_Rebind() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	relayURL, stopRelay := exampleRelay()
	defer stopRelay()
	device := exampleIdentity()
	router, stopRouter := exampleRouter(ctx, relayURL, device)
	defer stopRouter()

	t, err := tunnel.Dial(ctx, tunnel.DialConfig{Identity: device, Router: router})
	if err != nil {
		log.Panic(err)
	}
	defer t.Close()
	conn, err := t.Open(ctx, "echo")
	if err != nil {
		log.Panic(err)
	}
	defer conn.Close()
	for _, network := range []string{"Wi-Fi", "LTE"} {
		fmt.Fprint(conn, network)
		b := make([]byte, len(network))
		io.ReadFull(conn, b)
		fmt.Println(string(b))
		if err := t.Rebind(); err != nil { // the system has told us of another network
			log.Panic(err)
		}
	}
	// Output:
	// Wi-Fi
	// LTE
}
