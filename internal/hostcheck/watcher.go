package hostcheck

import (
	"fmt"
	"strconv"
	"strings"
)

// perf: counters and traces of other users' programs.
func perf(e *examination) ([]Finding, error) {
	text, err := e.readIn("proc/sys/kernel", "perf_event_paranoid")
	if err != nil || text == "" {
		return nil, err
	}
	level, err := strconv.Atoi(text)
	if err != nil {
		return nil, fmt.Errorf("/proc/sys/kernel/perf_event_paranoid holds no number")
	}
	if level >= 2 {
		return nil, nil
	}
	return one(Advice, fmt.Sprintf("any user may watch what the kernel does for other programs (kernel.perf_event_paranoid is %d)", level),
		sysctlMend), nil
}

// ptrace: a relay that is locked down is not dumpable, so that only root can; this
// is for the moments before.
func ptrace(e *examination) ([]Finding, error) {
	scope, err := e.readIn("proc/sys/kernel", "yama/ptrace_scope")
	if err != nil || scope != "" && scope != "0" {
		return nil, err
	}
	const (
		what = "until the relay is locked down, other programs of its user can read its memory "
		user = "give the relay a user of its own, as deploy/systemd does"
	)
	if scope == "" {
		return one(Advice, what+"(this kernel has no Yama that could forbid it)", user), nil
	}
	return one(Advice, what+"(kernel.yama.ptrace_scope is 0)", user+", and install deploy/sysctl.d/60-lethe.conf"), nil
}

func orMissing(text string) string {
	if text == "" {
		return "missing"
	}
	return text
}

// Packet sockets: who has one sees datagrams as they come and go.
const (
	everyProtocol = "0003" // ETH_P_ALL
	linkDiscovery = "88cc" // LLDP
	portAccess    = "888e" // 802.1X
)

// capture looks for packet sockets in this network namespace.
func capture(e *examination) (found []Finding, _ error) {
	text, err := e.readIn("proc/net", "packet")
	if err != nil {
		return nil, err
	}
	all, some := 0, 0
	for i, line := range strings.Split(text, "\n") {
		fields := strings.Fields(line)
		if i == 0 || len(fields) < 4 { // a header
			continue
		}
		switch fields[3] {
		case everyProtocol:
			all++
		case linkDiscovery, portAccess, "0000": // they see nothing of ours
		default:
			some++
		}
	}
	const who = "'ss -0 -p' names the program"
	if all > 0 {
		found = append(found, Finding{Level: Bad, What: fmt.Sprintf("%d sockets see all packets of this machine: somebody captures traffic", all), Mend: who + ": end it, unless it is yours"})
	}
	if some > 0 {
		found = append(found, Finding{Level: Advice, What: fmt.Sprintf("%d sockets see packets of one protocol; DHCP clients have such", some), Mend: who})
	}
	return found, nil
}

// connectionTracking remembers who has talked to the relay, in the kernel.
func connectionTracking(e *examination) ([]Finding, error) {
	count, err := e.readIn("proc/sys/net", "netfilter/nf_conntrack_count")
	if err != nil || count == "" || count == "0" {
		return nil, err
	}
	keeps, err := e.readIn("proc/sys/net", "netfilter/nf_conntrack_udp_timeout_stream")
	if err != nil {
		return nil, err
	}
	return one(Advice, fmt.Sprintf("the kernel tracks connections (%s now): it remembers the addresses of the relay's peers for up to %s s after their last datagram", count, orMissing(keeps)),
		"exempt the relay's port with notrack, as in deploy/nftables"), nil
}
