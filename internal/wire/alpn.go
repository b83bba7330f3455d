package wire

// The application protocols that the two kinds of QUIC connections negotiate
// (RFC 7301). The number is raised by a change that older peers can't ignore.
const (
	ALPNControl = "lethe/1"        // endpoint and relay
	ALPNTunnel  = "lethe-tunnel/1" // device and router, through the relay
)
