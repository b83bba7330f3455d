package tunnel

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"time"
)

const headStart = 250 * time.Millisecond // RFC 8305, section 5: the connection attempt delay

// resolve looks up host:port. IPv6 and IPv4 addresses take turns, IPv6 first.
func resolve(ctx context.Context, hostPort string) ([]netip.AddrPort, error) {
	host, portText, err := net.SplitHostPort(hostPort)
	if err != nil {
		return nil, err
	}
	port, err := strconv.ParseUint(portText, 10, 16)
	if err != nil {
		return nil, fmt.Errorf("%q is not a port", portText)
	}
	ips, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return nil, err
	}
	var v6, v4, all []netip.AddrPort
	for _, ip := range ips {
		addr := netip.AddrPortFrom(ip.Unmap(), uint16(port))
		if addr.Addr().Is4() {
			v4 = append(v4, addr)
		} else {
			v6 = append(v6, addr)
		}
	}
	if len(ips) == 0 {
		return nil, fmt.Errorf("%s has no address", host)
	}
	for i := range max(len(v6), len(v4)) {
		all = slices.Concat(all, v6[min(i, len(v6)):min(i+1, len(v6))], v4[min(i, len(v4)):min(i+1, len(v4))])
	}
	return all, nil
}

// race dials the addresses one after the other without waiting for an earlier
// one to fail, and returns the first connection. The others are closed.
func race(ctx context.Context, addrs []netip.AddrPort, dial func(context.Context, netip.AddrPort) (*relayConn, error)) (*relayConn, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	type result struct {
		conn *relayConn
		err  error
	}
	results := make(chan result)
	start := func(addr netip.AddrPort) {
		conn, err := dial(ctx, addr)
		select {
		case results <- result{conn, err}:
		case <-ctx.Done():
			if conn != nil {
				conn.close()
			}
		}
	}
	var failures []error
	next := time.NewTimer(0)
	defer next.Stop()
	for waiting := addrs; len(failures) < len(addrs); {
		select {
		case <-next.C:
			if len(waiting) > 0 {
				go start(waiting[0])
				waiting = waiting[1:]
				next.Reset(headStart)
			}
		case r := <-results:
			if r.err == nil {
				return r.conn, nil
			}
			failures = append(failures, r.err)
			next.Reset(0)
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
	return nil, failures[0] // of the address that was preferred
}
