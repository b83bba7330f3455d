package turn

import (
	"fmt"
	"net"
	"net/netip"

	"github.com/pion/stun/v4"
)

const protocolUDP = 17 // IANA's number

// requestedUDP is REQUESTED-TRANSPORT (RFC 8656, section 18.6).
type requestedUDP struct{}

// AddTo implements [stun.Setter].
func (requestedUDP) AddTo(m *stun.Message) error {
	m.Add(stun.AttrRequestedTransport, []byte{protocolUDP, 0, 0, 0})
	return nil
}

// channelNumber is CHANNEL-NUMBER (RFC 8656, section 18.1).
type channelNumber uint16

// AddTo implements [stun.Setter].
func (c channelNumber) AddTo(m *stun.Message) error {
	m.Add(stun.AttrChannelNumber, []byte{byte(c >> 8), byte(c), 0, 0})
	return nil
}

// peerAddress is XOR-PEER-ADDRESS (RFC 8656, section 18.3).
type peerAddress netip.AddrPort

// AddTo implements [stun.Setter].
func (p peerAddress) AddTo(m *stun.Message) error {
	a := net.UDPAddrFromAddrPort(netip.AddrPort(p))
	return stun.XORMappedAddress{IP: a.IP, Port: a.Port}.AddToAs(m, stun.AttrXORPeerAddress)
}

// addressIn reads an address from an attribute.
func addressIn(m *stun.Message, attribute stun.AttrType) (netip.AddrPort, error) {
	var a stun.XORMappedAddress
	if err := a.GetFromAs(m, attribute); err != nil {
		return netip.AddrPort{}, fmt.Errorf("%v: %w", attribute, err)
	}
	ip, ok := netip.AddrFromSlice(a.IP)
	if !ok {
		return netip.AddrPort{}, fmt.Errorf("%v: no address in %v", attribute, a)
	}
	return netip.AddrPortFrom(ip.Unmap(), uint16(a.Port)), nil
}

// learn takes realm and nonce from a refusal (RFC 8489, section 9.2).
func (c *Client) learn(refusal *stun.Message) error {
	var realm stun.Realm
	var nonce stun.Nonce
	if err := refusal.Parse(&realm, &nonce); err != nil {
		return err
	}
	c.realm, c.nonce = realm.String(), nonce.String()
	return nil
}

// signed adds the credential, once the server has said for which realm.
func (c *Client) signed(what []stun.Setter) []stun.Setter {
	if c.realm == "" {
		return what
	}
	return append(what[:len(what):len(what)],
		stun.NewUsername(c.credential.User), stun.NewRealm(c.realm), stun.NewNonce(c.nonce),
		stun.NewLongTermIntegrity(c.credential.User, c.realm, c.credential.Password))
}
