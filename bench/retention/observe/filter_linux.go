package observe

import "golang.org/x/net/bpf"

// direction is what a capture is about.
type direction struct {
	outgoing bool   // what leaves, else what arrives
	port     uint16 // source port of what leaves, destination port of what arrives
}

const (
	packetOutgoing = 4 // PACKET_OUTGOING of linux/if_packet.h
	protocolUDP    = 17
	headerSize     = 128     // bytes that are enough for IP and UDP headers
	wholeDatagram  = 1 << 16 // bytes
)

// program lets UDP datagrams of one direction through, one in every at random, with
// their first `keep` bytes. It sees packets from the IP header on. Fragments behind the first
// have no ports and don't pass.
func (d direction) program(every, keep uint32) []bpf.Instruction {
	const drop = 20 // the last instruction
	to := func(from int) uint8 { return uint8(drop - from - 1) }
	portAt, direction := uint32(2), bpf.JumpIf{Cond: bpf.JumpEqual, Val: packetOutgoing, SkipTrue: to(1)}
	if d.outgoing {
		portAt, direction = 0, bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: packetOutgoing, SkipTrue: to(1)}
	}
	return []bpf.Instruction{
		0:  bpf.LoadExtension{Num: bpf.ExtType},
		1:  direction,
		2:  bpf.LoadAbsolute{Off: 0, Size: 1},
		3:  bpf.ALUOpConstant{Op: bpf.ALUOpShiftRight, Val: 4},
		4:  bpf.JumpIf{Cond: bpf.JumpEqual, Val: 6, SkipTrue: 7},
		5:  bpf.LoadAbsolute{Off: 9, Size: 1}, // IPv4: protocol
		6:  bpf.JumpIf{Cond: bpf.JumpEqual, Val: protocolUDP, SkipFalse: to(6)},
		7:  bpf.LoadAbsolute{Off: 6, Size: 2}, // fragment offset
		8:  bpf.JumpIf{Cond: bpf.JumpBitsSet, Val: 0x1fff, SkipTrue: to(8)},
		9:  bpf.LoadMemShift{Off: 0}, // header length
		10: bpf.LoadIndirect{Off: portAt, Size: 2},
		11: bpf.Jump{Skip: 3},
		12: bpf.LoadAbsolute{Off: 6, Size: 1}, // IPv6: next header
		13: bpf.JumpIf{Cond: bpf.JumpEqual, Val: protocolUDP, SkipFalse: to(13)},
		14: bpf.LoadAbsolute{Off: 40 + portAt, Size: 2},
		15: bpf.JumpIf{Cond: bpf.JumpEqual, Val: uint32(d.port), SkipFalse: to(15)},
		16: bpf.LoadExtension{Num: bpf.ExtRand},
		17: bpf.ALUOpConstant{Op: bpf.ALUOpMod, Val: every},
		18: bpf.JumpIf{Cond: bpf.JumpEqual, Val: 0, SkipFalse: to(18)},
		19: bpf.RetConstant{Val: keep},
		20: bpf.RetConstant{Val: 0},
	}
}
