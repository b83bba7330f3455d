package service

import "time"

// StatusConfig says where the facts of the status document are.
type StatusConfig struct {
	// LeasesFile is the leases file of dnsmasq. If it is empty, /tmp/dhcp.leases (OpenWrt) is tried, then
	// /var/lib/misc/dnsmasq.leases.
	LeasesFile string
	Services   []string // names of the configured services
	Version    string   // of the agent

	// Root is the folder that all files are looked up in, LeasesFile too. Empty means "/".
	Root string
}

// Status is the status document. The package documentation says what its members are; one whose value is zero is
// not known and left out.
type Status struct {
	Model          string      `json:"model,omitzero"`
	Hostname       string      `json:"hostname,omitzero"`
	Kernel         string      `json:"kernel,omitzero"`
	UptimeSeconds  int64       `json:"uptime_seconds,omitzero"`
	Load           []float64   `json:"load,omitzero"`
	Memory         Memory      `json:"memory,omitzero"`
	Interfaces     []Interface `json:"interfaces,omitzero"`
	Clients        []Client    `json:"clients,omitzero"`
	ClientsSkipped int         `json:"clients_skipped,omitzero"`
	ClientsCut     bool        `json:"clients_cut,omitzero"`
	Services       []string    `json:"services"`
	AgentVersion   string      `json:"agent_version,omitzero"`
	Time           time.Time   `json:"time"`
}

// Memory is the router's memory in bytes.
type Memory struct {
	Total     int64 `json:"total_bytes,omitzero"`
	Available int64 `json:"available_bytes,omitzero"` // what programs can get without swapping
}

// Interface is a network interface that is up and has addresses.
type Interface struct {
	Name      string   `json:"name"`
	Addresses []string `json:"addresses"` // with prefix length: "192.168.1.1/24"
}

// Client is a machine in the router's network, as it appears in the DHCP leases.
type Client struct {
	Hostname string    `json:"hostname,omitzero"` // as the client calls itself; empty if it does not
	IP       string    `json:"ip"`
	MAC      string    `json:"mac,omitzero"` // empty for a DHCPv6 lease, which does not say
	Expires  time.Time `json:"expires,omitzero"`
}

// CollectStatus looks at the router and returns what it finds. A file that is missing, unreadable or in another
// format is a fact less, never an error.
func CollectStatus(cfg StatusConfig, now time.Time) Status {
	root := root(cfg.Root)
	s := Status{
		Model:         root.model(),
		Hostname:      root.line("/proc/sys/kernel/hostname"),
		Kernel:        root.line("/proc/sys/kernel/osrelease"),
		UptimeSeconds: root.uptime(),
		Load:          root.load(),
		Memory:        root.memory(),
		Interfaces:    interfaces(),
		Services:      append([]string{}, cfg.Services...),
		AgentVersion:  cfg.Version,
		Time:          now.UTC().Truncate(time.Second),
	}
	if l, ok := root.leases(cfg.LeasesFile); ok {
		s.Clients, s.ClientsSkipped, s.ClientsCut = l.clients, l.skipped, l.cut
	}
	return s
}
