// Package wire is the specification and the codec of everything that Lethe
// puts on the network outside QUIC's own framing. It holds no sockets, no
// clock and no keys, and imports nothing else of Lethe.
//
// There are two kinds of messages. Leg messages are single UDP datagrams
// between an endpoint (device or router) and the relay's data plane. Control
// messages are frames on QUIC streams, between an endpoint and the relay
// ([ALPNControl]) or between device and router inside the tunnel
// ([ALPNTunnel]). All numbers are big endian. Golden vectors for every message
// are in testdata/vectors.
//
// # Telling datagrams apart
//
// QUIC and leg messages share one UDP port and are told apart by the first
// byte, as in RFC 9443: QUIC version 1 sets the bit 0x40 in every packet (RFC
// 9000, section 17), a leg message never does. Leg types keep to 0x04..0x0f,
// which RFC 9443 gives to nobody, so that STUN, ZRTP, DTLS, TURN channels and
// RTP could still share the port. Neither end may negotiate RFC 9287, which
// lets QUIC clear the bit.
//
// # Leg messages
//
// Every leg message is exactly 52 bytes, so that no answer is larger than its
// question.
//
//	offset  size
//	     0     1  type
//	     1     1  version   1
//	     2     2  reserved  0
//	     4     8  leg id    random, never 0; names one leg at the relay
//	    12     8  counter
//	    20    16  cookie
//	    36    16  mac       HMAC-SHA256(leg secret, bytes 0..35), first 16 bytes
//
// The leg secret is 32 bytes, comes with the leg id over the control
// connection, and is used for nothing but this MAC.
//
//	type         sent by   counter             cookie
//	0x04 BIND    endpoint  rising              echo of the relay's, 0 if none yet
//	0x05 COOKIE  relay     of the BIND         to be echoed
//	0x06 BOUND   relay     of the BIND         0
//	0x07 UNBIND  endpoint  rising              0
//
// BIND binds the leg to the address it comes from, moves it there, or keeps it
// there. COOKIE says that this address is not validated yet: send BIND again,
// with a new counter and this cookie. BOUND says that the leg is bound to the
// address to which this was sent. UNBIND ends the leg and its session.
//
// An endpoint's counters start above 0 and rise with every BIND and UNBIND of
// a leg; the relay ignores one that is not higher than the last it accepted.
// An endpoint ignores a COOKIE or BOUND whose counter is not that of a BIND that
// it has sent from its present socket. Both drop, without an answer, a message that they can't parse or whose
// MAC does not match.
//
// # Frames
//
// A control message is one frame on a QUIC stream:
//
//	offset  size
//	     0     1  type
//	     1     2  length    of the body, at most 16384
//	     3     n  body      one CBOR map
//
// The body is a CBOR map (RFC 8949) in core deterministic encoding (section
// 4.2.1): shortest forms, keys in ascending order and none twice. A body in any
// other form is refused, as are indefinite lengths, tags, more than 16 entries
// in a map or array, more than 4 levels of nesting, and bytes after the map.
//
// Keys are unsigned integers. A receiver refuses a body with an even key that
// it does not know, and ignores an odd one: an extension that must be
// understood takes an even key, any other an odd one. The value of an ignored
// key is held to the limits above, but not to deterministic encoding.
//
// A field is left out exactly when it has its zero value (0, no bytes, or all
// bytes zero for fields of fixed size); so a required field never has it. One
// message therefore has one encoding, apart from ignored keys.
//
// # Frame types
//
//	type               direction         stream
//	0x10 error         any               instead of the expected answer
//	0x11 register      router to relay   at first, and when its revocations change
//	0x12 registered    relay to router   answer to register
//	0x13 open          device to relay   one per session
//	0x14 opened        relay to device   answer to open
//	0x15 incoming      relay to router   one per session, opened by the relay
//	0x16 accept        router to relay   answer to incoming, its leg is bound; and to moved
//	0x17 moved         relay to router   when a session's device has another network
//	0x18 login         device to relay   where do accounts come from?
//	0x19 issuer        relay to device   answer to login
//	0x1a inspect       device to relay   what is held about the device, and to erase it
//	0x1b held          relay to device   answer to inspect
//	0x20 service-open  device to router  first on each stream of a tunnel
//	0x21 service-ready router to device  answer; the service's own bytes follow
//	0x22 pair          device to router  the one stream of a pairing session
//	0x23 paired        router to device  answer to pair
//	0x24 evidence      device to router  first on the first stream of a tunnel; may come again
//	0x25 verdict       router to device  answer to evidence and confirm; or when it changes
//	0x26 confirm       device to router  first on a stream of its own; its answer comes there
//
// A number that is no longer used stays in this list and is not used again.
//
// # Fields
//
// Keys, kinds and limits per message. Required fields are marked with *,
// sizes are in bytes, text is UTF-8, times are in whole seconds and fit 32 bits.
//
//	error         2 code*              text 1..32 of [a-z0-9_]; table below
//	              1 retry_after        uint, seconds until a new attempt makes sense
//	              3 reasons            text ..512 of [a-z0-9_,], codes of package auth/ecv
//	register      2 token              bytes ..64, the relay's enrolment token
//	              1 version            text ..64, printable ASCII without space; the agent's
//	              3 revocations        bytes ..10248, grants taken back, see package auth
//	registered    1 idle_timeout*      uint, seconds without a datagram that end a session
//	              3 presence_timeout*  uint, seconds of silence after which a router is gone
//	              5 newer              uint: 1 if newer revocations are known than were told
//	open          2 router*            bytes 32, the RouterID asked for
//	              4 grant              bytes ..4096, OpenSSH certificate in wire format
//	              6 purpose            uint: 0 tunnel, needs a grant; 1 pairing, has none
//	              1 observation_key    bytes 32, see package auth/ecv
//	              3 wifi               bytes 104, proof, see package auth/ecv
//	              5 geo                bytes 104, proof, see package auth/ecv
//	              7 id_token           text ..8192, printable ASCII without space; OpenID Connect
//	opened        2 leg*               uint, leg id
//	              4 secret*            bytes 32, leg secret
//	incoming      2 leg*               uint, leg id
//	              4 secret*            bytes 32, leg secret
//	              6 device*            bytes 32, the device's Ed25519 public key
//	              8 grant              as in open
//	              10 purpose           as in open
//	              1 account            bytes 16, TagID of package auth/ecv; as are the next three
//	              3 net                bytes 16
//	              5 asn                bytes 16
//	              7 country            bytes 16
//	              9 limited            uint: 1 if the relay limits the session to a step-up
//	              11 accounts          uint: 1 if the relay has an account system
//	accept        none
//	moved         2 leg*               uint, leg id; the router's
//	              1 account            as in incoming, and so on to accounts
//	              3 net
//	              5 asn
//	              7 country
//	              9 limited
//	              11 accounts
//	login         none
//	issuer        2 url*               text 1..512, printable ASCII without space
//	              4 client_id*         text 1..512, printable ASCII without space
//	inspect       2 router*            bytes 32, RouterID
//	              4 erase              uint: 1 to erase it
//	held          1 sessions           uint, between device and router
//	              3 bytes              uint, carried by them
//	              5 connections        uint, of the device to the relay
//	              7 receipt            bytes ..2048, an auth.Receipt in JSON
//	service-open  2 service*           text 1..32 of [a-z0-9-]
//	service-ready none
//	pair          2 proof*             bytes 32, that the device knows the pairing secret
//	              1 name               label ..64, what the device calls itself
//	              3 invitation         bytes 8, names the pairing URI, see package auth
//	paired        2 grant*             bytes 1..4096, OpenSSH certificate in wire format
//	              1 name               label ..64, what the router calls itself
//	evidence      1 ssid               bytes ..32, of the connected Wi-Fi
//	              3 bssid              bytes 6
//	              5 wifi_seen          uint, seconds since 1970
//	              7 cell               uint, S2 cell id, see package auth/ecv
//	              9 geo_seen           uint, seconds since 1970
//	verdict       2 verdict*           uint: 1 deny, 2 step up, 3 allow
//	              1 score              uint ..1000
//	              3 needed             uint ..1000, the score that would be enough
//	              5 reasons            as in error
//	              7 grant              bytes ..4096, takes the place of the device's
//	              9 pin                uint: 1 if the router takes a PIN as confirmation
//	              11 approval          uint: 1 if it takes an owner's approval
//	              13 withheld          text ..2112 of [a-z0-9,-], services that want a confirmation
//	confirm       2 pin                label ..64; left out to ask for an approval
//
// A label is text without control characters, line and paragraph separators
// and bidirectional controls, so that it is safe to print in one line. Whether
// a grant fits its purpose is decided by who answers, not by this package.
//
// # Error codes
//
// A code is stable: programs act on it and turn it into a sentence. The number
// is what a QUIC connection is closed with for the same reason, 0 being an end
// without an error. A receiver treats a code or number that it does not know
// as internal.
//
//	 1 bad_request          the message can't be parsed or is not expected here
//	 2 unsupported          the message needs something that this version lacks
//	 3 internal             a fault of the sender of this code
//	 4 shutting_down        the sender stops
//	 5 replaced             a newer connection of the same router took over
//	 6 not_enrolled         the router showed no valid enrolment token
//	 7 rate_limited         too many requests; retry_after says when to try again
//	 8 too_many_routers     the relay holds as many routers as it may
//	 9 too_many_sessions    the relay, router or device has as many sessions as it may
//	10 router_offline       the router is not connected to this relay
//	11 router_timeout       the router is connected but did not answer in time
//	12 denied               the router refuses the session and gives no other reason
//	13 grant_invalid        not a grant, not signed by this router, or not for this device
//	14 grant_expired        the grant's time is over
//	15 grant_not_yet_valid  the grant's time has not begun, or a clock is wrong
//	16 grant_revoked        the device is no longer known to the router
//	17 pairing_closed       the router does not pair now
//	18 pairing_refused      the pairing secret is wrong, used or expired
//	19 unknown_service      the router offers no service of this name
//	20 service_not_granted  the grant does not name this service
//	21 service_down         the router can't reach what serves this service
//	22 step_up_required     the device's environment is new and has to be confirmed
//	23 env_denied           the device's environment is refused
//	24 pin_wrong            not the router's PIN
//	25 pin_locked           too many wrong PINs; retry_after says when to try again
//	26 pin_not_set          the router has no PIN
//	27 not_approved         no owner has approved
//	28 no_accounts          the relay has no account system
package wire
