//go:build !linux

package tunnel

import "net"

// packetConn is the leg as it is: without GSO, GRO and ECN.
func packetConn(l *leg) net.PacketConn { return l }
