// Package bulk is the scenario of one tunnel that moves as much as it can.
//
// The lines:
//
//	direct stock     server ═════════════════ client     stock quic-go, nothing between
//	relayed down     router ═══ relay(1 core) ═══ device a download through a tunnel
//	relayed up       router ═══ relay(1 core) ═══ device an upload
//	relayed free     router ═══ relay ═══════════ device a download; the relay may use all cores
//	relay alone      source ─── relay(1 core) ─── sink   GSO batches instead of tunnels
//
// Every part is a process. "relay(1 core)" is pinned to the last processor and
// has GOMAXPROCS=1. Endpoints may use all processors, the relay's included, as
// direct ones may; so relayed and direct compete for the same machine. With
// the relay alone, source and sink stay off the relay's processor, because
// they are not what is measured.
package bulk
