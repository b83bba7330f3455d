// Package tunnel connects a device to its home router through a relay that
// neither has to trust.
//
// A tunnel is one QUIC connection between device and router, encrypted from
// end to end with both keys pinned. The relay forwards its datagrams and
// can't read, change or answer them.
//
// # For apps: the device's side
//
//	t, err := tunnel.Dial(ctx, tunnel.DialConfig{Identity: id, Router: router})
//	page := http.Client{Transport: roundtrip.New(t, "http")}
//	conn, err := t.Open(ctx, "ssh") // a net.Conn
//
// A [Router] with its grant comes from [Pair], once. Package
// tunnel/roundtrip gives an http.RoundTripper, package tunnel/device keeps
// keys and routers in a folder, package tunnel/proxy opens local ports.
//
// # For firmware: the router's side
//
//	l, err := tunnel.Listen(ctx, tunnel.ListenConfig{Identity: id, Relay: url})
//	for {
//		conn, err := l.Accept() // a *Stream that knows its service and device
//	}
//
// Package tunnel/agent is the whole of a router's program on top of it.
//
// # Surroundings
//
// A device that has an [Environment] shows what that knows of its surroundings
// twice, see package auth/ecv: to the relay as proofs, which are good for one
// connection and name nothing; and to the router in clear, inside the tunnel.
//
//	device                relay                  router
//	  │ open, proofs        │                      │
//	  ├────────────────────►│ incoming, vouched    │
//	  │                     ├─────────────────────►│
//	  │ first stream: evidence ═══════════════════►│ Judge
//	  │◄══════════ verdict, and maybe a fresh grant│
//	  │ moves: evidence ══════════════════════════►│ Judge again
//	  │                     │ moved, vouched       │
//	  │                     ├─────────────────────►│ Judge again, evidence is due
//	  │ a stream of its own: confirm ═════════════►│ Confirm
//
// The router's [Judging] decides, for each service. When its verdict gets worse
// the tunnel ends. What has to be confirmed first is confirmed with
// [Tunnel.Confirm]; then the device dials again, with its fresh grant.
//
// # How it is built
//
//	Tunnel, Listener      sessions and streams            dial.go listen.go stream.go
//	showing, hearing      the two ends of the evidence    showing.go hearing.go confirm.go
//	      │
//	 quic-go, between two fixed virtual addresses
//	      │
//	     leg              a net.PacketConn over the relay  leg.go leg_linux.go
//	      │               binder: BIND, cookie, counter    binder.go
//	     socket           GRO in, GSO out                  internal/udpio
//
// The QUIC connection sees one peer address that never changes. What carries
// it is the leg, and the leg's socket can be replaced while the connection
// lives: the leg then binds again, and the relay forwards to the new address.
// A leg notices by itself that a NAT has moved it: when its tunnel is active
// and nothing has come in for half a second, it binds again.
//
// # Errors
//
// Refusals by relay or router are [*RefusedError] with a stable code. A peer
// with another key than the pinned one is an [*auth.KeyMismatchError]. What
// was closed by its owner reads as [net.ErrClosed].
//
// Nothing here is global: no state, no logger, no signal handler.
package tunnel
