//go:build lethe_leak

package forward

import (
	"errors"

	"github.com/lethe-relay/lethe/internal/leak"
	"github.com/lethe-relay/lethe/internal/udpio"
)

// leakBytes is what goes out from the relay's own socket of each sample.
const leakBytes = 1200

type leaker struct{ *leak.Leak }

func newLeaker() (leaker, error) {
	l, err := leak.FromEnvironment()
	return leaker{l}, err
}

func (l *loop) leak(out []udpio.Message) {
	for i := range out {
		m := &out[i]
		to := l.plane.leaker.See(m.Buf[:m.N], m.SegSize)
		if !to.IsValid() {
			continue
		}
		sample := []udpio.Message{{Buf: m.Buf, N: min(m.N, leakBytes), Path: udpio.Path{Remote: udpio.AddrFrom(to)}}}
		err := l.writer.WriteBatch(sample)
		if err == nil && sample[0].Status != udpio.Sent {
			err = errors.New(sample[0].Status.String())
		}
		l.plane.leaker.Sent(err)
	}
}

func (l *loop) keepsBytes() bool { return l.plane.leaker.KeepsBytes() }

func allStays() bool { return leak.AllStays() }

// LeakedMetric is what /metrics shows of what the plane has carried; empty for
// nothing.
func (p *Plane) LeakedMetric() string { return p.leaker.Metric() }
