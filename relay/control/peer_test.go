package control

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"math/big"
	"testing"
	"time"

	"github.com/quic-go/quic-go"

	"github.com/lethe-relay/lethe/internal/wire"
)

// TestBadRequests: each gets an error code, and the connection lives on.
func TestBadRequests(t *testing.T) {
	r := startRelay(t, nil, nil)
	rt, device := r.register(t, identity(t), accept), r.dial(t, identity(t))
	for _, tt := range []struct {
		name    string
		request []byte
		want    wire.Code
	}{
		{"nothing", nil, wire.CodeBadRequest},
		{"cut in the header", []byte{0x13, 0}, wire.CodeBadRequest},
		{"cut in the body", []byte{0x13, 0, 10, 0xa1}, wire.CodeBadRequest},
		{"unknown type", []byte{0x7f, 0, 1, 0xa0}, wire.CodeUnsupported},
		{"oversized", []byte{0x13, 0xff, 0xff}, wire.CodeBadRequest},
		{"no CBOR", []byte{0x13, 0, 3, 0xff, 0xff, 0xff}, wire.CodeBadRequest},
		{"without its required field", []byte{0x13, 0, 1, 0xa0}, wire.CodeBadRequest},
		{"unknown critical field", []byte{0x11, 0, 3, 0xa1, 0x08, 0x01}, wire.CodeUnsupported},
		{"an answer in place of a request", []byte{0x16, 0, 1, 0xa0}, wire.CodeBadRequest},
		{"an HTTP request", []byte("GET / HTTP/1.1\r\n\r\n"), wire.CodeUnsupported},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if err := askRaw(t, device, tt.request, true); !errors.Is(err, tt.want) {
				t.Errorf("%v, want %v", err, tt.want)
			}
			if _, err := device.open(t, rt.id); err != nil {
				t.Errorf("the connection is of no use any more: %v", err)
			}
		})
	}
}

func TestSlowRequest(t *testing.T) {
	r := startRelay(t, nil, func(s *Server) { s.timeouts.request = time.Second })
	device := r.dial(t, identity(t))
	if err := askRaw(t, device, []byte{0x13, 0, 50, 0xa1}, false); !errors.Is(err, wire.CodeBadRequest) {
		t.Errorf("a request that does not end: %v", err)
	}
	if _, err := device.open(t, identity(t)); !errors.Is(err, wire.CodeRouterOffline) {
		t.Errorf("the connection is of no use any more: %v", err)
	}
}

func TestIdleDeviceIsClosed(t *testing.T) {
	r := startRelay(t, nil, func(s *Server) { s.timeouts.linger = 300 * time.Millisecond })
	rt := r.register(t, identity(t), accept)
	device := r.dial(t, identity(t))
	if _, err := device.open(t, rt.id); err != nil {
		t.Fatal(err)
	}
	if code := device.closedWith(t); code != codeOK {
		t.Errorf("closed with %q", code)
	}
	if st := r.plane.Stats(); st.Sessions != 1 {
		t.Error("the session went with the control connection")
	}
	// The router connected before, and is as quiet.
	if _, err := r.dial(t, identity(t)).open(t, rt.id); err != nil || rt.Context().Err() != nil {
		t.Errorf("the router was closed too: %v", err)
	}
}

func TestPeersWithoutAnIdentity(t *testing.T) {
	r := startRelay(t, nil, nil)
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	ecKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for name, key := range map[string]crypto.Signer{"RSA": rsaKey, "ECDSA": ecKey} {
		t.Run(name, func(t *testing.T) {
			c := r.dialWith(t, selfSigned(t, key))
			if code := c.closedWith(t); code != wire.CodeBadRequest {
				t.Errorf("closed with %q", code)
			}
		})
	}
	t.Run("no certificate", func(t *testing.T) {
		tr := &quic.Transport{Conn: listenUDP(t)}
		t.Cleanup(func() { tr.Close() })
		conn, err := tr.Dial(t.Context(), r.udpAddr(), clientTLS(), nil)
		if err == nil { // in TLS 1.3 the client is done before the server has looked
			_, err = conn.AcceptStream(t.Context())
		}
		var refused *quic.TransportError
		if !errors.As(err, &refused) || !refused.Remote || !refused.ErrorCode.IsCryptoError() {
			t.Errorf("connected: %v", err)
		}
	})
}

func TestOtherProtocolsAreRefused(t *testing.T) {
	r := startRelay(t, nil, nil)
	for _, alpn := range []string{"h3", wire.ALPNTunnel} {
		tr := &quic.Transport{Conn: listenUDP(t)}
		cfg := clientTLS(certificate(t, identity(t)))
		cfg.NextProtos = []string{alpn}
		_, err := tr.Dial(t.Context(), r.udpAddr(), cfg, nil)
		var refused *quic.TransportError
		if !errors.As(err, &refused) || !refused.Remote {
			t.Errorf("%s: %v", alpn, err)
		}
		tr.Close()
	}
}

func selfSigned(t *testing.T, key crypto.Signer) tls.Certificate {
	t.Helper()
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// TestRequestsThatEndLate: a request is over although its end comes after the
// answer. Otherwise each would keep its place among the streams of its peer.
func TestRequestsThatEndLate(t *testing.T) {
	r := startRelay(t, nil, nil)
	device, nobody := r.dial(t, identity(t)), identity(t)
	raw := grant(t, nobody, device.id)
	for i := range 3 * streamsPerPeer {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		stream, err := device.OpenStreamSync(ctx)
		cancel()
		if err != nil {
			t.Fatalf("request %d: %v", i, err)
		}
		if err := wire.WriteMessage(stream, &wire.Open{Router: nobody.RouterID(), Grant: raw}); err != nil {
			t.Fatal(err)
		}
		if _, err := wire.Expect[*wire.Opened](stream); !errors.Is(err, wire.CodeRouterOffline) {
			t.Fatal(err)
		}
		stream.Close()
	}
}
