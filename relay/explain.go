package relay

import (
	"errors"
	"net/netip"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/relay/control"
)

// errSubject is the answer to what nothing can be held about.
var errSubject = errors.New("it is neither a RouterID, nor a DeviceID, nor an IP address with or without a port: copy it whole")

// subject is whom the relay is asked about.
type subject struct {
	explain func(*control.Server) *control.Explanation
}

// parseSubject reads an ID or an address.
func parseSubject(text string) (subject, error) {
	router, err := auth.ParseRouterID(text)
	if err == nil {
		return subject{func(s *control.Server) *control.Explanation { return s.ExplainRouter(router) }}, nil
	}
	device, err := auth.ParseDeviceID(text)
	if err == nil {
		return subject{func(s *control.Server) *control.Explanation { return s.ExplainDevice(device) }}, nil
	}
	if errors.Is(err, auth.ErrIDTypo) {
		return subject{}, err
	}
	at, err := netip.ParseAddrPort(text)
	if err != nil {
		var addr netip.Addr
		if addr, err = netip.ParseAddr(text); err != nil {
			return subject{}, errSubject
		}
		at = netip.AddrPortFrom(addr, 0)
	}
	return subject{func(s *control.Server) *control.Explanation { return s.ExplainAddress(at) }}, nil
}

// CheckSubject tells whether something can be asked about, before anybody is.
func CheckSubject(text string) error {
	_, err := parseSubject(text)
	return err
}
