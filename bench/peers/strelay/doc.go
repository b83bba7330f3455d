// Package strelay is the client side of syncthing's relay (strelaysrv), as far as a
// benchmark needs it. The relay's protocol is described at
// https://docs.syncthing.net/specs/relay-v1.html.
//
//	waiting client ── TLS: JoinRelayRequest ──────────► relay
//	other client   ── TLS: ConnectRequest(its ID) ────► relay
//	both           ◄── SessionInvitation(a key) ─────── relay
//	both           ── TCP: JoinSessionRequest(key) ───► relay, which joins the two
//
// A client's ID is the SHA-256 of its certificate. A message is a header of three
// 32-bit numbers and a body in XDR (RFC 4506):
//
//	0            4           8           12
//	┌────────────┬───────────┬───────────┬─────────────┐
//	│ 0x9e79bc40 │ type      │ length    │ body        │
//	└────────────┴───────────┴───────────┴─────────────┘
//
// What goes over a joined session is the clients' own; syncthing has TLS there,
// end to end.
package strelay
