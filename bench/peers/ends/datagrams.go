package ends

import (
	"context"
	"fmt"

	"github.com/lethe-relay/lethe/bench/flows"
)

// datagrams is what a Load of bench/flows has carried.
type datagrams struct{ load *flows.Load }

func (d datagrams) moved() (Moved, error) {
	c, err := d.load.Count()
	return Moved{
		Received: c.Received * flows.PayloadSize, Datagrams: c.Received,
		Lost: c.Lost, Least: c.Least,
	}, err
}

func (e *ends) loadDatagrams(ctx context.Context, w Work) (flow, error) {
	source, sink, ways, err := e.ways(ctx, w.Sessions)
	if err != nil {
		return nil, err
	}
	load, err := flows.NewLoad(source, sink, flows.LoadConfig{Flows: ways, Window: w.Window, Run: w.Run})
	if err != nil {
		return nil, err
	}
	load.Start()
	e.closer.later(load.Close)
	return datagrams{load}, nil
}

// ways makes so many sessions, each of which has an endpoint of both ports.
func (e *ends) ways(ctx context.Context, sessions int) (source, sink *flows.Port, ways []flows.Flow, err error) {
	if source, err = e.port(); err != nil {
		return nil, nil, nil, err
	}
	if sink, err = e.port(); err != nil {
		return nil, nil, nil, err
	}
	way, err := e.meet(ctx)
	for i := 0; i < sessions && err == nil; i++ {
		var f flows.Flow
		f, err = way(ctx, source, sink, i)
		ways = append(ways, f)
	}
	if err != nil {
		return nil, nil, nil, fmt.Errorf("session %d of %d: %w", len(ways), sessions, err)
	}
	return source, sink, ways, nil
}

func (e *ends) port() (*flows.Port, error) {
	p, err := flows.Open()
	if err == nil {
		e.closer.later(p.Close)
	}
	return p, err
}

// meeting makes session i, between endpoint i of either port.
type meeting func(ctx context.Context, source, sink *flows.Port, i int) (flows.Flow, error)

// meet is how sessions of datagrams are made.
func (e *ends) meet(ctx context.Context) (meeting, error) {
	switch e.config.Kind {
	case Lethe:
		return e.meetLethe(ctx)
	case TURNPeer:
		return e.config.meetTURNPeer, nil
	case TURNClients:
		return e.config.meetTURNClients, nil
	case UDP:
		return func(_ context.Context, _, sink *flows.Port, i int) (flows.Flow, error) {
			return flows.Flow{To: sink.Addr(i)}, nil
		}, nil
	}
	return nil, fmt.Errorf("there is no kind %q", e.config.Kind)
}
