package observe

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/lethe-relay/lethe/bench/retention/canary"
)

// Metrics scrapes an admin listener.
type Metrics struct {
	client  *http.Client
	urls    []string
	sampler *sampler
	texts   texts

	mu      sync.Mutex
	scraped map[string]int
	failed  map[string]error // the last failure
}

// scrapeWithin is how long an answer may take.
const scrapeWithin = 5 * time.Second

// WatchMetrics fetches urls every interval. An empty socket stands for TCP,
// else all urls are fetched through this unix socket.
func WatchMetrics(socket string, urls []string, every time.Duration) *Metrics {
	transport := &http.Transport{DisableCompression: true, DisableKeepAlives: true}
	if socket != "" {
		transport.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", socket)
		}
	}
	m := &Metrics{
		client: &http.Client{Transport: transport, Timeout: scrapeWithin}, urls: urls,
		scraped: make(map[string]int), failed: make(map[string]error),
	}
	m.sampler = startSampler(every, m.scrape)
	return m
}

func (m *Metrics) scrape() {
	for _, url := range m.urls {
		body, err := m.fetch(url)
		m.mu.Lock()
		if m.scraped[url]++; err != nil {
			m.scraped[url]--
			m.failed[url] = err
		}
		m.mu.Unlock()
		m.texts.add(url, body)
	}
}

func (m *Metrics) fetch(url string) ([]byte, error) {
	answer, err := m.client.Get(url)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(io.LimitReader(answer.Body, maxText))
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("it answers %s", answer.Status)
	}
	return append(body, '\n'), err
}

// Scan looks through what has been published so far.
func (m *Metrics) Scan(f *canary.Finder) (canary.Found, Result) {
	found, r := m.texts.scan(DetectorMetrics, f)
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.urls) == 0 {
		r.blind(DetectorMetrics, "there is no admin listener to scrape")
	}
	for _, url := range m.urls {
		if m.scraped[url] == 0 {
			r.gap(DetectorMetrics, fmt.Sprintf("%s was never scraped: %v", url, m.failed[url]))
		}
	}
	return found, r
}

// Stop scrapes once more and ends.
func (m *Metrics) Stop() { m.sampler.stop() }
