package agent

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/internal/conf"
	"github.com/lethe-relay/lethe/internal/keyfile"
	"github.com/lethe-relay/lethe/internal/statefile"
	"github.com/lethe-relay/lethe/internal/wire"
	"github.com/lethe-relay/lethe/tunnel/service"
)

const (
	configFile      = "agent.yaml"
	keyFile         = "router.key"
	devicesFile     = "devices.json"
	invitationsFile = "invitations.json"
	pinFile         = "pin.json"
	journalFile     = "journal.jsonl"
	socketFile      = "agent.sock"
)

// Config is agent.yaml.
type Config struct {
	Relay      auth.RelayURL     `yaml:"relay" conf:"secret"` // holds the enrolment token
	Name       string            `yaml:"name"`                // what devices call the router by default
	Services   []service.Service `yaml:"services"`
	LeasesFile string            `yaml:"leases_file"` // of dnsmasq; empty: the usual places
	ECV        ECV               `yaml:"ecv"`         // what devices must show of their environment
	Retention  Retention         `yaml:"retention"`

	dir string // where the file is
}

// LoadConfig reads and checks agent.yaml. A missing file gives an error that
// names the command that writes one.
func LoadConfig(path string) (*Config, error) {
	c := Config{ECV: defaultECV(), Retention: defaultRetention()}
	data, err := statefile.Read(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("there is no configuration at %s: 'lethe-agent init --dir %s --relay URL' writes one", path, filepath.Dir(path))
	}
	if err != nil {
		return nil, err
	}
	if err := conf.Parse(path, data, &c); err != nil {
		return nil, err
	}
	c.dir = filepath.Dir(path)
	return &c, nil
}

// Validate is called by package conf.
func (c *Config) Validate() error {
	if c.Relay.Host == "" {
		return conf.KeyErrorf("relay", "is missing; take the URL from 'lethe-relay url' on the relay")
	}
	if c.Name != "" && !wire.ValidName(c.Name) {
		return conf.KeyErrorf("name", "must be one line of at most %d bytes", wire.MaxName)
	}
	if most := auth.MaxServices - len(ownServices); len(c.Services) > most {
		return conf.KeyErrorf("services", "has %d services; a router can offer %d: leave some out, or use another router for them", len(c.Services), most)
	}
	for i, d := range c.ECV.Services {
		if known := c.serviceNames(); !slices.Contains(known, d.Name) {
			return conf.KeyErrorf(fmt.Sprintf("ecv.services[%d].name", i), "the router offers no service %q: it offers %s", d.Name, strings.Join(known, ", "))
		}
	}
	seen := make(map[string]bool)
	for i, s := range c.Services {
		if seen[s.Name] {
			return conf.KeyErrorf(fmt.Sprintf("services[%d].name", i), "is used twice")
		}
		seen[s.Name] = true
	}
	return nil
}

// ownServices are those that every router has.
var ownServices = [...]string{service.NameStatus, service.NameManage, service.NamePersonal, service.NameForget, service.NameUnpair}

// serviceNames are all that a device can ask for; a verdict can name them all.
func (c *Config) serviceNames() []string {
	names := slices.Clone(ownServices[:])
	for _, s := range c.Services {
		names = append(names, s.Name)
	}
	return names
}

// Init writes a configuration and a new key into dir, and returns the
// configuration's path. It leaves a directory that has either alone.
func Init(dir string, relay auth.RelayURL) (path string, err error) {
	if err := statefile.MkdirPrivate(dir); err != nil {
		return "", err
	}
	path = filepath.Join(dir, configFile)
	for _, name := range []string{configFile, keyFile} {
		if _, err := os.Stat(filepath.Join(dir, name)); !errors.Is(err, fs.ErrNotExist) {
			return "", fmt.Errorf("%s is there already: 'lethe-agent run --config %s' starts that agent; to change its relay, edit the file; to make another router, choose an empty directory", filepath.Join(dir, name), path)
		}
	}
	if _, err := keyfile.Create(filepath.Join(dir, keyFile)); err != nil {
		return "", err
	}
	return path, statefile.Write(path, fmt.Appendf(nil, configTemplate, relay.String(), hostName()))
}

const configTemplate = `# Configuration of a Lethe agent. Keep this file to yourself: it holds the enrolment token.

# The relay, as 'lethe-relay url' prints it there.
relay: %q

# What devices call this router by default.
name: %q

# What devices may reach. A target is "tcp:HOST:PORT" or "unix:PATH".
# "status" is always there.
services: [{name: http, target: "tcp:127.0.0.1:80"}]

# Where dnsmasq keeps its leases, for the status; by default /tmp/dhcp.leases or
# /var/lib/misc/dnsmasq.leases.
# leases_file: /tmp/dhcp.leases

# What a device must show of its environment, besides its key. Each feature that
# matches what the router has learned adds its weight. From "allow" on a device is
# let in; from "step_up" on it is asked for the router's PIN ('lethe-agent pin') or for
# an owner's approval. Wi-Fi names and places never leave the tunnel in clear. Devices that
# were paired before you switch this on are asked for it, too: set a PIN first.
# A stolen key brings the weight of "account" along, and its thief may know the owner's
# town: let "allow" be more than account, geo, asn and country together.
# ecv:
#   allow: 75
#   step_up: 20
#   weights: {account: 30, wifi: 40, geo: 30, net: 15, asn: 5, country: 5}
#   mandatory: []              # features without which nobody is let in
#   max_age: "15m"             # of what a device has seen
#   max_speed_kmh: 1000        # faster is impossible travel
#   services: [{name: manage, allow: 90}] # that have demands of their own in place of allow and mandatory

# How long the router keeps what it learns of devices: decisions ('lethe-agent log'),
# and surroundings in which a device was not seen again.
# retention: {log: "30d", environments: "90d"}
`

// hostName is the machine's name as far as it can be a router's.
func hostName() string {
	name, err := os.Hostname()
	name, _, _ = strings.Cut(name, ".")
	if err != nil || !wire.ValidName(name) {
		return "router"
	}
	return name
}

func (c *Config) path(name string) string { return filepath.Join(c.dir, name) }

// Identity reads the router's key.
func (c *Config) Identity() (*auth.Identity, error) {
	path := c.path(keyFile)
	pem, err := statefile.Read(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("there is no router key at %s: restore it from a backup, or remove %s and run 'lethe-agent init', and pair all devices again", path, c.path(configFile))
	}
	if err != nil {
		return nil, err
	}
	id, err := auth.ParseIdentity(pem)
	if err != nil {
		return nil, fmt.Errorf("%s: %w; if there is no backup, remove it and %s, run 'lethe-agent init', and pair all devices again", path, err, c.path(configFile))
	}
	return id, nil
}
