package demo

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"time"
)

const (
	screenInterval = 500 * time.Millisecond // fast enough to look alive
	pipeInterval   = 5 * time.Second
)

// Live shows on out what happens, and the URL of the page for a browser, until
// ctx ends, which is no error. It fails when the page's secret passes on the wire.
func Live(ctx context.Context, cfg Config, out io.Writer) error {
	s, err := open(ctx, cfg)
	if err == nil {
		err = s.live(newScreen(out))
	}
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		err = nil
	}
	if err = s.end(err); err != nil {
		return err
	}
	_, err = fmt.Fprintln(out, "ended; nothing is left of it")
	return err
}

// live is Live on an open stage.
func (s *stage) live(to *screen) error {
	if err := s.introduce(to.out); err != nil {
		return s.because(err)
	}
	tick := time.NewTicker(to.interval())
	defer tick.Stop()
	before, _ := s.read(time.Now()) // the first look in the loop judges
	for {
		now, err := s.read(time.Now())
		if err := errors.Join(err, to.show(now.since(before))); err != nil {
			return err
		}
		before = now
		select {
		case <-tick.C:
		case <-s.ctx.Done():
			_, err := s.searched(0)
			return cmp.Or(err, context.Cause(s.ctx))
		}
	}
}

// introduce says what there is. It fetches the page first: the search can show
// on it that it finds what there is to find.
func (s *stage) introduce(out io.Writer) error {
	h, err := s.handshake()
	if err != nil {
		return err
	}
	client := newClient()
	defer client.CloseIdleConnections()
	if _, err := s.fetchPage(client); err != nil {
		return err
	}
	search, err := s.searched(0)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, `A relay, a home router and a device, all real, in this process on 127.0.0.1.

paired    with %s
          whose secret is used up now
tunnel    %s, %s, both keys pinned
check     the search finds the page's secret %d times in what the page's server writes

open      %s
end       Ctrl-C

`, s.uri, h.TLS, h.KeyExchange, search.PlainFound, s.url)
	return err
}

// reading is one look at all counters.
type reading struct {
	at     time.Time
	wire   traffic
	relay  RelayView
	search Search
}

// read looks at all counters. The error is that of searched.
func (s *stage) read(at time.Time) (reading, error) {
	found, err := s.searched(0)
	return reading{at: at, wire: s.wire.traffic(), relay: relayView(s.relay.Stats()), search: found}, err
}

// since returns what there is to show: of now, and of the time since before.
func (r reading) since(before reading) []string {
	rate := func(now, then uint64) float64 {
		if took := r.at.Sub(before.at).Seconds(); took > 0 {
			return float64(now-then) / 1e6 / took
		}
		return 0
	}
	return []string{
		fmt.Sprintf("throughput   down %.1f MB/s, up %.1f MB/s", rate(r.wire.down, before.wire.down), rate(r.wire.up, before.wire.up)),
		"relay sees   " + r.relay.String(),
		"on the wire  " + r.search.WireSample + "…",
		fmt.Sprintf("page says    %q", r.search.PlainSample),
		"searched     " + r.search.String(),
	}
}
