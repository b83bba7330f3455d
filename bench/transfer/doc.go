// Package transfer measures bytes on their way: what several scenarios have
// lines of.
//
//	Direct     server ═════════════════ client    stock quic-go, nothing between
//	Tunnels    router ═══ relay(1 core) ═══ device one stream in each of some tunnels
//	Stock      server ─── relay(1 core) ─── client stock quic-go over the legs of a session
//	Alone      source ─── relay(1 core) ─── sink   GSO batches instead of QUIC
//
// Every part is a process. "relay(1 core)" is pinned to the last processor and
// has GOMAXPROCS=1. Endpoints may use all processors, the relay's included, as
// direct ones may; so relayed and direct compete for the same machine. With
// the relay alone, sources and sinks stay off the relay's processor, because
// they are not what is measured.
//
// Sender and receiver say how many objects they have allocated, too: with
// quic-go, buffers should come from its pools.
package transfer
