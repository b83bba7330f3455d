//go:build linux

package e2e

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// A network is the internet in small, in network namespaces of its own. Phone
// and router are behind real NAT (nftables masquerade, each mapping on a port
// chosen at random), behind which nothing comes that nobody has asked for. The
// relay forwards no IP packets. The names are those of the interfaces.
//
//	          relay.test: 192.0.2.1, 2001:db8::1
//	          ┌───────────── relay ────────────┐
//	     left │ 198.51.100.1                   │ right
//	          │ 2001:db8:1::1                  │ 203.0.113.1
//	          │                                │
//	      wan │ 198.51.100.2                   │ wan
//	          │ 2001:db8:1::2                  │ 203.0.113.2
//	        nat-phone                      nat-router
//	     lan │      │ lan6                     │ lan
//	10.1.0.1 │      │ 2001:db8:2::1            │ 10.2.0.1
//	         │      │                          │
//	     wan │      │ wan                      │ wan
//	10.1.0.2 │      │ 2001:db8:2::2            │ 10.2.0.2
//	       phone  phone6                     router
//
// phone and router have no IPv6, and phone6 has no IPv4.
type network struct {
	t      *testing.T
	prefix string // of the namespaces' names: lethe-PID-RANDOM-
}

const (
	namespacePrefix = "lethe-"
	hostsDir        = "/etc/netns" // where 'ip netns exec' finds a namespace's own /etc/hosts
	hosts           = "127.0.0.1 localhost\n192.0.2.1 relay.test\n2001:db8::1 relay.test\n"
)

const natRules = `
table inet nat {
	chain out {
		type nat hook postrouting priority srcnat
		oifname "wan" masquerade random
	}
	chain through {
		type filter hook forward priority filter
		iifname "wan" ct state != { established, related } drop
	}
}
`

// newNetwork makes the network; it goes away with the test.
func newNetwork(t *testing.T, ctx context.Context) *network {
	t.Helper()
	needRoot(t, "make network namespaces")
	need(t, map[string]string{"ip": "iproute2", "nft": "nftables"})
	n := &network{t: t, prefix: fmt.Sprintf("%s%d-%s-", namespacePrefix, os.Getpid(), strings.ToLower(rand.Text()[:4]))}
	t.Cleanup(func() { removeNamespaces(func(name string) bool { return strings.HasPrefix(name, n.prefix) }) })
	for _, name := range []string{"phone", "phone6", "nat-phone", "relay", "nat-router", "router"} {
		n.add(ctx, name)
	}
	n.link(ctx, "nat-phone", "wan", "relay", "left")
	n.link(ctx, "nat-router", "wan", "relay", "right")
	n.link(ctx, "phone", "wan", "nat-phone", "lan")
	n.link(ctx, "phone6", "wan", "nat-phone", "lan6")
	n.link(ctx, "router", "wan", "nat-router", "lan")
	for _, line := range strings.Split(addresses, "\n") {
		if f := strings.Fields(line); len(f) == 3 {
			n.ip(ctx, f[0], "addr", "add", f[2], "dev", f[1], "nodad")
		}
	}
	n.ip(ctx, "phone", "route", "add", "default", "via", "10.1.0.1")
	n.ip(ctx, "phone6", "route", "add", "default", "via", "2001:db8:2::1")
	n.ip(ctx, "router", "route", "add", "default", "via", "10.2.0.1")
	n.ip(ctx, "nat-phone", "route", "add", "default", "via", "198.51.100.1")
	n.ip(ctx, "nat-phone", "route", "add", "default", "via", "2001:db8:1::1")
	n.ip(ctx, "nat-router", "route", "add", "default", "via", "203.0.113.1")
	for _, name := range []string{"nat-phone", "nat-router"} {
		n.must(ctx, natRules, name, "nft", "-f", "-")
		n.must(ctx, "", name, "sh", "-c", "echo 1 >/proc/sys/net/ipv4/ip_forward; echo 1 >/proc/sys/net/ipv6/conf/all/forwarding")
	}
	return n
}

// addresses has, of each address, the namespace and the interface.
const addresses = `
relay       lo     192.0.2.1/32
relay       lo     2001:db8::1/128
relay       left   198.51.100.1/24
relay       left   2001:db8:1::1/64
relay       right  203.0.113.1/24
nat-phone   wan    198.51.100.2/24
nat-phone   wan    2001:db8:1::2/64
nat-phone   lan    10.1.0.1/24
nat-phone   lan6   2001:db8:2::1/64
nat-router  wan    203.0.113.2/24
nat-router  lan    10.2.0.1/24
phone       wan    10.1.0.2/24
phone6      wan    2001:db8:2::2/64
router      wan    10.2.0.2/24
`

func (n *network) add(ctx context.Context, name string) {
	n.t.Helper()
	must(n.t, ctx, "ip", "netns", "add", n.prefix+name)
	n.ip(ctx, name, "link", "set", "lo", "up")
	dir := filepath.Join(hostsDir, n.prefix+name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		n.t.Fatal(err)
	}
	write(n.t, filepath.Join(dir, "hosts"), hosts)
}

func (n *network) link(ctx context.Context, a, aName, b, bName string) {
	n.t.Helper()
	must(n.t, ctx, "ip", "link", "add", aName, "netns", n.prefix+a, "type", "veth", "peer", "name", bName, "netns", n.prefix+b)
	n.ip(ctx, a, "link", "set", aName, "up")
	n.ip(ctx, b, "link", "set", bName, "up")
}

// ip runs ip in a namespace.
func (n *network) ip(ctx context.Context, name string, args ...string) {
	n.t.Helper()
	must(n.t, ctx, append([]string{"ip", "-n", n.prefix + name}, args...)...)
}

// in is what stands in front of a command that runs in a namespace.
func (n *network) in(name string) []string { return []string{"ip", "netns", "exec", n.prefix + name} }

// must runs a command in a namespace.
func (n *network) must(ctx context.Context, stdin, name string, command ...string) {
	n.t.Helper()
	if r := runWith(n.t, ctx, stdin, append(n.in(name), command...)...); r.code != 0 {
		n.t.Fatalf("%s: exit code %d\n%s%s", r.command, r.code, r.stdout, r.stderr)
	}
}

// removeLeftNamespaces removes those of runs that were interrupted.
func removeLeftNamespaces() {
	removeNamespaces(func(name string) bool {
		text, _, _ := strings.Cut(strings.TrimPrefix(name, namespacePrefix), "-")
		pid, err := strconv.Atoi(text)
		return err == nil && errors.Is(syscall.Kill(pid, 0), syscall.ESRCH)
	})
}

// removeNamespaces removes those of ours that match. It has no test to fail:
// what it can't remove, the next run will.
func removeNamespaces(match func(name string) bool) {
	out, err := exec.Command("ip", "netns", "list").Output()
	if err != nil {
		return
	}
	for line := range strings.Lines(string(out)) {
		name, _, _ := strings.Cut(strings.TrimSpace(line), " ")
		if strings.HasPrefix(name, namespacePrefix) && match(name) {
			exec.Command("ip", "netns", "delete", name).Run()
			os.RemoveAll(filepath.Join(hostsDir, name))
		}
	}
	os.Remove(hostsDir) // unless there is another's
}
