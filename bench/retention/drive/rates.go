package drive

import (
	"context"
	"sync"
	"time"

	"github.com/lethe-relay/lethe/bench/retention/verdict"
)

// rates is the throughput over time, by the relay's own count.
type rates struct {
	cancel  context.CancelFunc
	running sync.WaitGroup
	points  []verdict.Rate // of the goroutine until it has ended
	bytes   uint64         // that were forwarded meanwhile
}

func measureRates(ctx context.Context, admin Admin, start time.Time) *rates {
	ctx, cancel := context.WithCancel(ctx)
	r := &rates{cancel: cancel}
	r.running.Go(func() {
		first, at := uint64(0), time.Time{}
		last := uint64(0)
		for wait(ctx, scrapeEvery) == nil {
			m, err := admin.Metrics(ctx)
			if err != nil {
				continue
			}
			now, bytes := time.Now(), m.Bytes()
			if at.IsZero() {
				first = bytes
			} else {
				rate := float64(bytes-last) * 8 / 1e9 / now.Sub(at).Seconds()
				r.points = append(r.points, verdict.Rate{At: now.Sub(start).Seconds(), GbitPerS: rate})
			}
			last, at = bytes, now
			r.bytes = bytes - first
		}
	})
	return r
}

func (r *rates) stop() {
	r.cancel()
	r.running.Wait()
}
