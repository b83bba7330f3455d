package relay

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"time"

	"github.com/lethe-relay/lethe/internal/localsock"
	"github.com/lethe-relay/lethe/relay/control"
)

const askTimeout = 30 * time.Second

// AskRetention asks the relay that runs with this configuration to check its
// controls now.
func (c *Config) AskRetention(ctx context.Context) (*Retention, error) {
	return ask[Retention](ctx, c, "/retention")
}

// AskStatus asks the running relay how it is.
func (c *Config) AskStatus(ctx context.Context) (*Status, error) {
	return ask[Status](ctx, c, "/status")
}

// AskExplain asks the running relay what it holds about an ID or address. Only one
// with a unix socket tells.
func (c *Config) AskExplain(ctx context.Context, about string) (*control.Explanation, error) {
	if c.AdminTCP() {
		return nil, errExplainTCP
	}
	return ask[control.Explanation](ctx, c, "/explain/"+url.PathEscape(about))
}

func ask[T any](ctx context.Context, c *Config, path string) (*T, error) {
	if c.Admin == "off" {
		return nil, errors.New(`the relay can't be asked: admin is "off" in relay.yaml; set it to "unix:admin.sock" and start the relay again`)
	}
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+c.adminHost()+path, nil)
	if err != nil {
		return nil, err
	}
	client := &http.Client{Transport: &http.Transport{DialContext: c.dialAdmin, DisableKeepAlives: true}}
	resp, err := client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("ask the relay: %w", notRunning(errors.Unwrap(err)))
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("ask the relay: it answers %s: see that it is of the same version as this program", resp.Status)
	}
	answer := new(T)
	if err := json.NewDecoder(resp.Body).Decode(answer); err != nil {
		return nil, fmt.Errorf("read the relay's answer: %w", err)
	}
	return answer, nil
}

// AdminTCP tells whether the operator's view is on a TCP port, which any user of the
// machine can open.
func (c *Config) AdminTCP() bool { return c.Admin != "off" && !strings.HasPrefix(c.Admin, unixPrefix) }

// adminHost is the host of requests. On a unix socket it does not matter.
func (c *Config) adminHost() string {
	if c.AdminTCP() {
		return c.Admin
	}
	return "relay"
}

func (c *Config) dialAdmin(ctx context.Context, _, _ string) (net.Conn, error) {
	if path, ok := strings.CutPrefix(c.Admin, unixPrefix); ok {
		return localsock.Dial(ctx, c.path(path))
	}
	var d net.Dialer
	return d.DialContext(ctx, "tcp", c.Admin)
}

// notRunning says what most likely is the matter.
func notRunning(err error) error {
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ECONNREFUSED) {
		return fmt.Errorf("%w: it does not run; 'lethe-relay run' starts it", err)
	}
	return err
}
