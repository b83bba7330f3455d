package roundtrip

import (
	"net/http"
	"time"

	"github.com/lethe-relay/lethe/tunnel"
)

// New returns a RoundTripper whose requests all go to one service of the
// router, whatever host their URLs name. It keeps idle streams for reuse; its
// CloseIdleConnections gives them up. It works as long as the tunnel lives.
func New(t *tunnel.Tunnel, service string) *http.Transport {
	return &http.Transport{
		DialContext:     t.DialContext(service),
		IdleConnTimeout: time.Minute,
		MaxIdleConns:    16,
	}
}
