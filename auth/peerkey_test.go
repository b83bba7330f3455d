package auth

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"math/big"
	"strings"
	"testing"
	"time"
)

var testTime = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// shakeHands runs a TLS 1.3 handshake as QUIC does, without a network, and
// hands the client a session ticket. It returns each side's first error.
func shakeHands(t *testing.T, client, server *tls.Config) (c, s *tls.QUICConn, cErr, sErr error) {
	t.Helper()
	c = tls.QUICClient(&tls.QUICConfig{TLSConfig: client})
	s = tls.QUICServer(&tls.QUICConfig{TLSConfig: server})
	t.Cleanup(func() { _ = c.Close(); _ = s.Close() })
	c.SetTransportParameters(nil)
	s.SetTransportParameters(nil)
	cErr, sErr = c.Start(context.Background()), s.Start(context.Background())
	for moved := true; moved && cErr == nil && sErr == nil; {
		var up, down bool
		up, sErr = carry(t, c, s)
		down, cErr = carry(t, s, c)
		moved = up || down
	}
	return c, s, cErr, sErr
}

// carry hands what from has to say to to, and returns to's error.
func carry(t *testing.T, from, to *tls.QUICConn) (moved bool, err error) {
	t.Helper()
	for {
		switch e := from.NextEvent(); e.Kind {
		case tls.QUICNoEvent:
			return moved, nil
		case tls.QUICWriteData:
			moved = true
			if err := to.HandleData(e.Level, bytes.Clone(e.Data)); err != nil {
				return moved, err
			}
		case tls.QUICHandshakeDone:
			moved = true
			_ = from.SendSessionTicket(tls.QUICSessionTicketOptions{}) // fails on the client, which has none
		}
	}
}

func tlsConfig(t *testing.T, certificate *tls.Certificate, verify func(tls.ConnectionState) error) *tls.Config {
	t.Helper()
	c := &tls.Config{
		MinVersion: tls.VersionTLS13, NextProtos: []string{"test"}, ServerName: "lethe",
		InsecureSkipVerify: true, ClientAuth: tls.RequireAnyClientCert, VerifyConnection: verify,
	}
	c.SetSessionTicketKeys([][32]byte{{1}})
	if certificate != nil {
		c.Certificates = []tls.Certificate{*certificate}
	}
	return c
}

func certificateOf(t *testing.T, id *Identity) *tls.Certificate {
	t.Helper()
	c, err := id.Certificate(testTime)
	if err != nil {
		t.Fatal(err)
	}
	return &c
}

func ecdsaCertificate(t *testing.T) *tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: testTime}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
}

func TestPinsInTLS(t *testing.T) {
	router, device, mallory := identityOf(t, 1), identityOf(t, 2), identityOf(t, 3)
	routerCert, deviceCert, malloryCert := certificateOf(t, router), certificateOf(t, device), certificateOf(t, mallory)
	other := ecdsaCertificate(t)
	pinRouter, pinDevice := PinRouter(router.RouterID()), PinDevice(device.PublicKey())
	mismatch := func(p Peer) error { return &KeyMismatchError{p} }
	for _, c := range []struct {
		name           string
		client, server *tls.Config
		cErr, sErr     error
	}{
		{"both pinned", tlsConfig(t, deviceCert, pinRouter), tlsConfig(t, routerCert, pinDevice), nil, nil},
		{"another router", tlsConfig(t, deviceCert, pinRouter), tlsConfig(t, malloryCert, pinDevice), mismatch(PeerRouter), nil},
		{"another device", tlsConfig(t, malloryCert, pinRouter), tlsConfig(t, routerCert, pinDevice), nil, mismatch(PeerDevice)},
		{"a router with an ECDSA key", tlsConfig(t, deviceCert, pinRouter), tlsConfig(t, other, pinDevice), ErrPeerKeyType, nil},
		{"a device with an ECDSA key", tlsConfig(t, other, pinRouter), tlsConfig(t, routerCert, pinDevice), nil, ErrPeerKeyType},
		{"a pinned relay", tlsConfig(t, deviceCert, PinRelay(RelayPinOf(other.Leaf))), tlsConfig(t, other, pinDevice), nil, nil},
		{"another relay", tlsConfig(t, deviceCert, PinRelay(RelayPinOf(other.Leaf))), tlsConfig(t, routerCert, pinDevice), mismatch(PeerRelay), nil},
		{"a relay without a pin", tlsConfig(t, deviceCert, PinRelay(RelayPin{})), tlsConfig(t, other, pinDevice), mismatch(PeerRelay), nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, _, cErr, sErr := shakeHands(t, c.client, c.server)
			sameError(t, "client", cErr, c.cErr)
			sameError(t, "server", sErr, c.sErr)
		})
	}
}

func sameError(t *testing.T, who string, got, want error) {
	t.Helper()
	var g, w *KeyMismatchError
	if errors.As(want, &w) {
		if !errors.As(got, &g) || g.Peer != w.Peer {
			t.Errorf("%s: %v, want %v", who, got, want)
		}
		return
	}
	if !errors.Is(got, want) {
		t.Errorf("%s: %v, want %v", who, got, want)
	}
}

// A session that was opened under one pin must not be resumed under another.
func TestPinsHoldOnResumption(t *testing.T) {
	router, device := identityOf(t, 1), identityOf(t, 2)
	client := tlsConfig(t, certificateOf(t, device), PinRouter(router.RouterID()))
	server := tlsConfig(t, certificateOf(t, router), PinDevice(device.PublicKey()))
	client.ClientSessionCache = tls.NewLRUClientSessionCache(8)
	resumes := func(client, server *tls.Config) (cErr, sErr error) {
		t.Helper()
		_, _, cErr, sErr = shakeHands(t, tlsWith(client, PinRouter(router.RouterID())), tlsWith(server, PinDevice(device.PublicKey())))
		if cErr != nil || sErr != nil { // this one left the ticket
			t.Fatalf("first handshake: %v, %v", cErr, sErr)
		}
		c, s, cErr, sErr := shakeHands(t, client, server)
		if !c.ConnectionState().DidResume && !s.ConnectionState().DidResume {
			t.Fatal("the session was not resumed, so this test shows nothing")
		}
		return cErr, sErr
	}
	cErr, sErr := resumes(client, server)
	sameError(t, "client, same pins", cErr, nil)
	sameError(t, "server, same pins", sErr, nil)
	_, sErr = resumes(client, tlsWith(server, PinDevice(router.PublicKey())))
	sameError(t, "server, other device", sErr, &KeyMismatchError{PeerDevice})
	cErr, _ = resumes(tlsWith(client, PinRouter(device.RouterID())), server)
	sameError(t, "client, other router", cErr, &KeyMismatchError{PeerRouter})
	cErr, _ = resumes(tlsWith(client, PinRelay(RelayPin{1})), server)
	sameError(t, "client, other relay", cErr, &KeyMismatchError{PeerRelay})
}

func tlsWith(c *tls.Config, verify func(tls.ConnectionState) error) *tls.Config {
	c = c.Clone()
	c.VerifyConnection = verify
	return c
}

func TestPeerKeyWithoutCertificate(t *testing.T) {
	var none tls.ConnectionState
	if _, err := PeerKey(none); !errors.Is(err, ErrPeerNoCertificate) {
		t.Errorf("PeerKey: %v", err)
	}
	for name, pin := range map[string]func(tls.ConnectionState) error{
		"router": PinRouter(RouterID{}), "device": PinDevice(nil), "relay": PinRelay(RelayPin{}),
	} {
		if err := pin(none); !errors.Is(err, ErrPeerNoCertificate) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestPeerKeyIsTheLeafs(t *testing.T) {
	one, two := identityOf(t, 1), identityOf(t, 2)
	cs := tls.ConnectionState{PeerCertificates: []*x509.Certificate{certificateOf(t, one).Leaf, certificateOf(t, two).Leaf}}
	if key, err := PeerKey(cs); err != nil || !key.Equal(one.PublicKey()) {
		t.Errorf("%x, %v", key, err)
	}
	if err := PinRouter(two.RouterID())(cs); err == nil {
		t.Error("a certificate after the leaf satisfies the pin, and the peer did not prove that key")
	}
}

func TestKeyMismatchSaysWhatItMeans(t *testing.T) {
	for peer, says := range map[Peer]string{
		PeerRouter: "is not the key that was paired: someone between you and the router answered in its place",
		PeerDevice: "is not the key that its grant names: someone between the router and the device",
		PeerRelay:  "does not match the pin: someone between you and the relay answered in its place",
	} {
		if text := (&KeyMismatchError{peer}).Error(); !strings.Contains(text, says) {
			t.Errorf("%s: %s", peer, text)
		}
	}
}
