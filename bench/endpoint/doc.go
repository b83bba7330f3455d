// Package endpoint is the scenario of what the two ends of a tunnel cost, and
// what they fill:
//
//	direct stock    server ══════════════════════════ client   stock quic-go, nothing between
//	relayed stock   server ─────── relay(1 core) ───── client   the same two, over the legs of a session
//	relayed lethe   router ─────── relay(1 core) ───── device   a tunnel
//	lethe, 100 ms   router ─ relay(1 core) ─ 50 ms ─── device   a tunnel over a long way
//
// The second and the third differ by nothing but the endpoints. The relay sees
// no difference: datagrams of QUIC from bound legs. Package transfer measures.
package endpoint
