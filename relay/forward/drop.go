package forward

import "sync/atomic"

// DropReason says why a datagram went no further. Its String is the label of
// the relay's drop metric, so names never change meaning.
type DropReason uint8

// Each datagram that is not forwarded, answered or handed to the control plane
// is counted under exactly one of these.
const (
	DropPeerUnbound   DropReason = iota // the other leg has no address yet
	DropOneWay                          // the one-way allowance is used up and the other leg has sent nothing
	DropLimited                         // the session's limit in bytes is used up
	DropOverRate                        // more than Config.SessionRate lets the leg carry
	DropOverShare                       // the loop can't keep up, and the leg has had its share
	DropTooBig                          // larger than the path to the other leg takes; QUIC's path MTU discovery counts on it
	DropNoBuffer                        // the kernel had no buffer to send from
	DropUnreachable                     // no route to the other leg
	DropSendFailed                      // any other refusal of the kernel to send
	DropNotLeg                          // neither QUIC nor a well-formed leg message
	DropWrongWay                        // a leg message that only a relay sends
	DropUnknownLeg                      // a BIND for a leg that does not exist
	DropLateUnbind                      // an UNBIND for a leg that does not exist: the second of the two that end a session
	DropBadMAC                          // a BIND or UNBIND that was not made with the leg's secret
	DropReplay                          // a BIND or UNBIND whose counter is not higher than the last one's
	DropControlFull                     // the control plane's queue was full
	DropControlStray                    // a QUIC datagram of no handshake, from an address that no leg and no control connection has
	DropControlTooBig                   // a QUIC datagram for the control plane larger than it ever takes
	dropReasons                         // how many there are
)

var dropNames = [dropReasons]string{
	DropPeerUnbound:   "peer_unbound",
	DropOneWay:        "one_way",
	DropLimited:       "limited",
	DropOverRate:      "over_rate",
	DropOverShare:     "over_share",
	DropTooBig:        "too_big",
	DropNoBuffer:      "no_buffer",
	DropUnreachable:   "unreachable",
	DropSendFailed:    "send_failed",
	DropNotLeg:        "not_leg",
	DropWrongWay:      "wrong_way",
	DropUnknownLeg:    "unknown_leg",
	DropLateUnbind:    "late_unbind",
	DropBadMAC:        "bad_mac",
	DropReplay:        "replay",
	DropControlFull:   "control_full",
	DropControlStray:  "control_stray",
	DropControlTooBig: "control_too_big",
}

func (r DropReason) String() string { return dropNames[r] }

// DropReasons lists every reason, in the order of their numbers.
func DropReasons() []DropReason {
	all := make([]DropReason, dropReasons)
	for i := range all {
		all[i] = DropReason(i)
	}
	return all
}

// dropCounters is written by one loop (or by the control conn) and read by Stats.
type dropCounters [dropReasons]atomic.Uint64

func (d *dropCounters) add(r DropReason, datagrams int) { d[r].Add(uint64(datagrams)) }
