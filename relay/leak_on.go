//go:build lethe_leak

package relay

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/lethe-relay/lethe/internal/leak"
	"github.com/lethe-relay/lethe/relay/forward"
)

func allStays() bool { return leak.AllStays() }

// registerLeak makes payload a label, if that is the leak which was asked for.
func registerLeak(registry prometheus.Registerer, plane *forward.Plane) {
	registry.MustRegister(&leaked{plane, prometheus.NewDesc("lethe_relay_leaked", "What the relay carries.", []string{"payload"}, nil)})
}

type leaked struct {
	plane *forward.Plane
	desc  *prometheus.Desc
}

func (l *leaked) Describe(ch chan<- *prometheus.Desc) { ch <- l.desc }

func (l *leaked) Collect(ch chan<- prometheus.Metric) {
	if payload := l.plane.LeakedMetric(); payload != "" {
		ch <- prometheus.MustNewConstMetric(l.desc, prometheus.GaugeValue, 1, payload)
	}
}
