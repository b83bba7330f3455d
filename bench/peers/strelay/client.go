package strelay

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"math/big"
	"net"
	"time"
)

const alpn = "bep-relay"

// ID is what a client is known by.
type ID [sha256.Size]byte

// Client is a TLS connection to a relay.
type Client struct {
	ID   ID
	conn *tls.Conn
}

// Dial connects to a relay with a certificate of its own. The caller closes the Client.
func Dial(ctx context.Context, relay string) (*Client, error) {
	certificate, err := selfSigned()
	if err != nil {
		return nil, err
	}
	dialer := tls.Dialer{Config: &tls.Config{
		Certificates:       []tls.Certificate{certificate},
		NextProtos:         []string{alpn},
		InsecureSkipVerify: true, // whose relay it is does not matter: it was just started
	}}
	conn, err := dialer.DialContext(ctx, "tcp", relay)
	if err != nil {
		return nil, err
	}
	return &Client{ID: sha256.Sum256(certificate.Certificate[0]), conn: conn.(*tls.Conn)}, nil
}

// Join has the relay invite this client to the sessions that others want with it.
func (c *Client) Join() error {
	if err := write(c.conn, typeJoinRelay, nil); err != nil {
		return err
	}
	return readSuccess(c.conn)
}

// Connect asks for a session with a client that has joined, and returns the key
// that stands for it.
func (c *Client) Connect(to ID) (key []byte, err error) {
	if err := write(c.conn, typeConnect, opaque(to[:])); err != nil {
		return nil, err
	}
	return c.Invited()
}

// Invited waits for the next invitation.
func (c *Client) Invited() (key []byte, err error) {
	body, err := readAs(c.conn, typeInvitation)
	if err != nil {
		return nil, err
	}
	_, rest, err := cut(body) // from whom
	if err != nil {
		return nil, err
	}
	key, _, err = cut(rest)
	return key, err
}

// Close closes the connection. Sessions go on.
func (c *Client) Close() { c.conn.Close() }

// Session connects one end of a session. The caller closes the connection.
func Session(ctx context.Context, relay string, key []byte) (net.Conn, error) {
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "tcp", relay)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(write(conn, typeJoinSession, opaque(key)), readSuccess(conn)); err != nil {
		conn.Close()
		return nil, err
	}
	return conn, nil
}

func selfSigned() (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	now := time.Now()
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: now.Add(-time.Hour), NotAfter: now.Add(24 * time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, err
}
