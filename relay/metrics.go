package relay

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/lethe-relay/lethe/relay/control"
	"github.com/lethe-relay/lethe/relay/forward"
)

// collector turns the counters of both planes into metrics when somebody asks,
// so that the planes themselves know nothing of Prometheus. No metric has an
// identity or an address in it.
type collector struct {
	plane       *forward.Plane
	control     *control.Server
	retention   *retention
	certificate *certificate

	sessions, legs, routers                           *prometheus.Desc
	datagrams, bytes, reads, messages                 *prometheus.Desc
	toControl, legMessages                            *prometheus.Desc
	dropped, ended, opens, registrations, connections *prometheus.Desc
	verdicts                                          *prometheus.Desc
	overload                                          *prometheus.Desc
	wipes, controlInForce, lockdownInfo, expires      *prometheus.Desc
}

// collector makes one; the relay has entered its lockdown.
func (r *Relay) collector() *collector {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("lethe_relay_"+name, help, labels, nil)
	}
	return &collector{
		plane:         r.plane,
		control:       r.control,
		retention:     r.retention,
		certificate:   r.certificate,
		sessions:      desc("sessions", "Sessions now."),
		legs:          desc("bound_legs", "Legs that have an address now."),
		routers:       desc("routers", "Routers registered now."),
		datagrams:     desc("forwarded_datagrams_total", "Datagrams forwarded."),
		bytes:         desc("forwarded_bytes_total", "Payload bytes forwarded."),
		reads:         desc("reads_total", "System calls that brought datagrams."),
		messages:      desc("messages_total", "Messages read: single datagrams or runs that the kernel merged."),
		toControl:     desc("control_datagrams_total", "Datagrams handed to the control plane."),
		legMessages:   desc("leg_messages_total", "Leg messages acted on."),
		dropped:       desc("dropped_datagrams_total", "Datagrams dropped.", "reason"),
		ended:         desc("ended_sessions_total", "Sessions ended.", "reason"),
		opens:         desc("opens_total", "Requests to open a session.", "outcome"),
		connections:   desc("connections_total", "Connections to the control plane, before their handshake.", "outcome"),
		registrations: desc("registrations_total", "Registrations of routers.", "outcome"),
		verdicts:      desc("verdicts_total", "Judgements on the environments of devices; none: the grant demands nothing.", "verdict", "at"),
		overload:      desc("overload_seconds_total", "Time for which sockets had more to carry than they could, so that each leg was held to its share; the sum of all sockets."),
		wipes:         desc("wipes_total", "Times that a socket's packet buffers were wiped."),

		controlInForce: desc("retention_control_in_force", "Whether a control against retention is in force, as was found in the last ten seconds.", "control"),
		lockdownInfo:   desc("lockdown_info", "The relay's lockdown, which is always 1.", "mode"),
		expires:        desc("certificate_expiry_timestamp_seconds", "When the certificate from files expires. The relay's own, which is pinned, has none."),
	}
}

// Describe implements [prometheus.Collector].
func (c *collector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		c.sessions, c.legs, c.routers, c.datagrams, c.bytes, c.reads, c.messages,
		c.toControl, c.legMessages, c.dropped, c.ended, c.opens, c.registrations, c.connections, c.verdicts,
		c.overload, c.wipes, c.controlInForce, c.lockdownInfo, c.expires,
	} {
		ch <- d
	}
}

// Collect implements [prometheus.Collector].
func (c *collector) Collect(ch chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v int) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, float64(v))
	}
	counter := func(d *prometheus.Desc, v uint64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(v), labels...)
	}
	st := c.plane.Stats()
	gauge(c.sessions, st.Sessions)
	gauge(c.legs, st.BoundLegs)
	gauge(c.routers, c.control.Routers())
	counter(c.datagrams, st.Datagrams)
	counter(c.bytes, st.Bytes)
	counter(c.reads, st.Reads)
	counter(c.messages, st.Messages)
	counter(c.toControl, st.Control)
	counter(c.legMessages, st.LegMessages)
	counter(c.wipes, st.Wipes)
	ch <- prometheus.MustNewConstMetric(c.overload, prometheus.CounterValue, st.Overload.Seconds())
	for reason, n := range st.Dropped {
		counter(c.dropped, n, reason.String())
	}
	for reason, n := range st.Ended {
		counter(c.ended, n, reason.String())
	}
	c.control.Opens.Each(func(code string, n uint64) { counter(c.opens, n, code) })
	c.control.Connections.Each(func(code string, n uint64) { counter(c.connections, n, code) })
	c.control.Registrations.Each(func(code string, n uint64) { counter(c.registrations, n, code) })
	c.control.Verdicts.Each(func(verdict, at string, n uint64) { counter(c.verdicts, n, verdict, at) })
	c.collectRetention(ch)
}

func (c *collector) collectRetention(ch chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	state := c.retention.recent()
	for _, control := range state.Controls {
		inForce := 0.0
		if control.InForce {
			inForce = 1
		}
		gauge(c.controlInForce, inForce, control.Name)
	}
	gauge(c.lockdownInfo, 1, string(state.Mode))
	if at := c.certificate.expires(); !at.IsZero() {
		gauge(c.expires, float64(at.Unix()))
	}
}
