package flows

import (
	"errors"
	"net/netip"
)

// Flow is a way through a relay, from an endpoint of the source Port to the
// endpoint of the same number of the sink Port.
type Flow struct {
	To     netip.AddrPort // where the source sends: IPv4
	Prefix []byte         // comes before the payload when it is sent; of one length in all flows of a Load
	Skip   int            // bytes that come before the payload when it arrives
}

// Errors of flows that can't be.
var (
	ErrNoFlows  = errors.New("there are no flows, or more than there are endpoints")
	ErrPrefixes = errors.New("flows have prefixes of different lengths")
	ErrNotIPv4  = errors.New("a flow goes to an address that is not IPv4")
)

func validate(flows []Flow) error {
	if len(flows) == 0 || len(flows) > MaxEndpoints {
		return ErrNoFlows
	}
	for _, f := range flows {
		if len(f.Prefix) != len(flows[0].Prefix) {
			return ErrPrefixes
		}
		if !f.To.Addr().Is4() {
			return ErrNotIPv4
		}
	}
	return nil
}
