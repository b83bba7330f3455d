package relay

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"path/filepath"
	"time"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/internal/conf"
	"github.com/lethe-relay/lethe/internal/lockdown"
	"github.com/lethe-relay/lethe/internal/statefile"
	"github.com/lethe-relay/lethe/internal/telemetry"
	"github.com/lethe-relay/lethe/relay/account"
	"github.com/lethe-relay/lethe/relay/control"
	"github.com/lethe-relay/lethe/relay/geoip"
)

// Config is relay.yaml.
type Config struct {
	Listen         netip.AddrPort `yaml:"listen"`                        // UDP, for everything
	Public         string         `yaml:"public"`                        // HOST:PORT that agents and devices dial
	Key            string         `yaml:"key"`                           // PEM file, beside the configuration unless absolute
	EnrolmentToken auth.Token     `yaml:"enrolment_token" conf:"secret"` // what a router must show
	Certificate    string         `yaml:"certificate"`                   // PEM file of the public web's; empty: the relay's own
	CertificateKey string         `yaml:"certificate_key"`               // PEM file
	Admin          string         `yaml:"admin"`                         // unix:PATH, a loopback HOST:PORT, or off
	Lockdown       lockdown.Mode  `yaml:"lockdown"`                      // whether the kernel must hold that nothing is retained
	IdleTimeout    conf.Duration  `yaml:"idle_timeout"`                  // of sessions
	BusyPoll       conf.Duration  `yaml:"busy_poll"`                     // that each socket is looked at before it is waited for; zero: not at all
	Limits         Limits         `yaml:"limits"`
	OIDC           account.Config `yaml:"oidc"`  // where accounts come from; zero: there are none
	GeoIP          geoip.Config   `yaml:"geoip"` // files, beside the configuration unless absolute

	dir string // where the file is
}

// Limits is the part of relay.yaml that bounds what the relay takes on.
type Limits struct {
	Routers           int          `yaml:"routers"`             // registered at once
	Sessions          int          `yaml:"sessions"`            // at once
	SessionsPerRouter int          `yaml:"sessions_per_router"` // at once
	SessionsPerDevice int          `yaml:"sessions_per_device"` // at once
	OpensPerMinute    int          `yaml:"opens_per_minute"`    // by device
	RequestsPerMinute int          `yaml:"requests_per_minute"` // by source, an IPv4 address or IPv6 /64: connections, opens, registrations
	Connections       int          `yaml:"connections"`         // at once, by source; each agent has one
	OneWay            conf.Bytes   `yaml:"one_way"`             // that a leg may send before the other has answered
	SessionRate       conf.BitRate `yaml:"session_rate"`        // of a session, each way by itself; zero: no bound

	// What a session has whose device must confirm its environment first.
	StepUpBytes conf.Bytes    `yaml:"step_up_bytes"`
	StepUpTime  conf.Duration `yaml:"step_up_time"`
}

// A session at less than a modem's speed is of no use, and one at more than this
// has no bound that a relay would reach.
const (
	maxBusyPoll = conf.Duration(50 * time.Millisecond) // half of the time between two wipes

	minSessionRate conf.BitRate = 64_000
	maxSessionRate conf.BitRate = 100_000_000_000
)

func defaults() Config {
	return Config{
		Key:         keyFile,
		Admin:       "unix:admin.sock",
		Lockdown:    usualLockdown(),
		IdleTimeout: conf.Duration(2 * time.Minute),
		Limits: Limits{
			Routers:           10_000,
			Sessions:          10_000,
			SessionsPerRouter: 32,
			SessionsPerDevice: 16,
			OpensPerMinute:    300,
			RequestsPerMinute: 3000,
			Connections:       1000,
			OneWay:            256 << 10,
			StepUpBytes:       256 << 10,
			StepUpTime:        conf.Duration(5 * time.Minute),
		},
	}
}

// LoadConfig reads and checks relay.yaml. A missing file gives an error that
// names the command that writes one.
func LoadConfig(path string) (*Config, error) {
	c := defaults()
	data, err := statefile.Read(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("there is no configuration at %s: 'lethe-relay init --dir %s' writes one", path, filepath.Dir(path))
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
	switch {
	case !c.Listen.IsValid():
		return conf.KeyErrorf("listen", `is missing; say where to listen, such as "[::]:443"`)
	case c.EnrolmentToken.IsZero():
		return conf.KeyErrorf("enrolment_token", "is missing; 'lethe-relay init' makes one")
	case c.IdleTimeout < conf.Duration(30*time.Second):
		return conf.KeyErrorf("idle_timeout", "is too short: tunnels send a keep-alive every 15s; take 30s or more")
	case c.BusyPoll < 0 || c.BusyPoll > maxBusyPoll:
		return conf.KeyErrorf("busy_poll", "must be between 0s and %v: packet buffers are not wiped meanwhile", maxBusyPoll)
	case c.Certificate != "" && c.CertificateKey == "":
		return conf.KeyErrorf("certificate_key", "is missing: it names the file with the key of the certificate")
	case c.Certificate == "" && c.CertificateKey != "":
		return conf.KeyErrorf("certificate", "is missing: it names the file with the certificate of the key")
	}
	if c.Public != "" && !isDialable(c.Public) {
		return conf.KeyErrorf("public", `is not HOST:PORT; say what agents and devices dial, such as "relay.example.org:443"`)
	}
	return checkAdmin(c.Admin)
}

// isDialable tells whether agents can read a URL with this host and port.
func isDialable(hostPort string) bool {
	if _, _, err := net.SplitHostPort(hostPort); err != nil { // the URL's port is optional, this one is not
		return false
	}
	_, err := auth.ParseRelayURL(auth.RelayURL{Host: hostPort}.String())
	return err == nil
}

// Validate is called by package conf.
func (l *Limits) Validate() error {
	for _, limit := range []struct {
		key string
		n   int
	}{
		{"routers", l.Routers}, {"sessions", l.Sessions}, {"sessions_per_router", l.SessionsPerRouter},
		{"sessions_per_device", l.SessionsPerDevice}, {"opens_per_minute", l.OpensPerMinute}, {"requests_per_minute", l.RequestsPerMinute}, {"connections", l.Connections},
	} {
		if limit.n < 1 || limit.n > 10_000_000 {
			return conf.KeyErrorf(limit.key, "must be between 1 and 10000000")
		}
	}
	switch {
	case l.SessionRate != 0 && (l.SessionRate < minSessionRate || l.SessionRate > maxSessionRate):
		return conf.KeyErrorf("session_rate", "must be between %v and %v, or 0 for no bound", minSessionRate, maxSessionRate)
	case l.OneWay < 16<<10:
		return conf.KeyErrorf("one_way", "is too small for a handshake: take 16KiB or more")
	case l.StepUpBytes < 32<<10 || l.StepUpBytes > 16<<20:
		return conf.KeyErrorf("step_up_bytes", "must be between 32KiB and 16MiB: enough for a handshake and a confirmation, and no more")
	case l.StepUpTime < conf.Duration(10*time.Second) || l.StepUpTime > conf.Duration(time.Hour):
		return conf.KeyErrorf("step_up_time", "must be between 10s and 1h: a person needs it to type a PIN, or to approve on another device")
	}
	return nil
}

// publicHost is what agents and devices dial.
func (c *Config) publicHost(port uint16) string {
	if c.Public != "" {
		return c.Public
	}
	return netip.AddrPortFrom(c.Listen.Addr(), port).String()
}

func (c *Config) path(name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(c.dir, name)
}

// identity reads the relay's key.
func (c *Config) identity() (*auth.Identity, error) {
	path := c.path(c.Key)
	pem, err := statefile.Read(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("there is no relay key at %s: restore it from a backup, or make a new relay with 'lethe-relay init' and enrol its routers again", path)
	}
	if err != nil {
		return nil, err
	}
	id, err := auth.ParseIdentity(pem)
	if err != nil {
		return nil, fmt.Errorf("%s: %w; restore it from a backup", path, err)
	}
	return id, nil
}

// accounts makes the verifier of ID tokens, without asking the issuer; nil if
// there are no accounts.
func (c *Config) accounts(log *telemetry.Log) (*account.Verifier, error) {
	if c.OIDC == (account.Config{}) {
		return nil, nil
	}
	return account.New(c.OIDC, log)
}

// geoIP reads the files that tell where addresses are.
func (c *Config) geoIP() (*geoip.DB, error) {
	files := c.GeoIP
	for _, file := range []*string{&files.ASN, &files.Country} {
		if *file != "" {
			*file = c.path(*file)
		}
	}
	return geoip.Open(files)
}

// url is what routers are enrolled with: where the relay is, its pin if it has a
// certificate of its own, and the enrolment token. port takes the place of a listen
// port 0.
func (c *Config) url(cert *certificate, port uint16) auth.RelayURL {
	return auth.RelayURL{Host: c.publicHost(port), Pin: cert.pin(), Token: c.EnrolmentToken}
}

// URL returns the URL that routers are enrolled with.
func (c *Config) URL() (auth.RelayURL, error) {
	if c.Listen.Port() == 0 && c.Public == "" {
		return auth.RelayURL{}, errors.New("the port is chosen when the relay starts, and printed then: set listen or public in relay.yaml to have it before")
	}
	id, err := c.identity()
	if err != nil {
		return auth.RelayURL{}, err
	}
	cert, err := c.certificate(id, c.Listen.Port(), nil)
	if err != nil {
		return auth.RelayURL{}, err
	}
	return c.url(cert, c.Listen.Port()), nil
}

func (l Limits) control() control.Limits {
	return control.Limits{
		Routers:                 l.Routers,
		SessionsPerRouter:       l.SessionsPerRouter,
		SessionsPerDevice:       l.SessionsPerDevice,
		OpensPerMinutePerDevice: l.OpensPerMinute,
		RequestsPerMinute:       l.RequestsPerMinute,
		ConnectionsPerSource:    l.Connections,
		StepUpBytes:             uint64(l.StepUpBytes),
		StepUpTime:              time.Duration(l.StepUpTime),
	}
}
