package part

import (
	"context"
	"errors"
	"fmt"
	"net/netip"

	"github.com/lethe-relay/lethe/bench/bare"
	"github.com/lethe-relay/lethe/bench/flows"
)

// bindAll binds the legs from number first on, each at the endpoint of its number.
func bindAll(ctx context.Context, port *flows.Port, relay netip.AddrPort, legs []bare.Ticket, first int) error {
	for ; first < len(legs); first += bindBurst {
		b := binding{port: port, relay: relay, legs: legs, open: make(map[int]bool)}
		for i := first; i < min(first+bindBurst, len(legs)); i++ {
			b.open[i] = true
		}
		if err := b.run(ctx); err != nil {
			return err
		}
	}
	return nil
}

// binding is some legs that are being bound.
type binding struct {
	port  *flows.Port
	relay netip.AddrPort
	legs  []bare.Ticket
	open  map[int]bool // numbers of those that are not bound yet
}

func (b *binding) run(ctx context.Context) error {
	for range bindTries {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		for i := range b.open {
			if err := b.port.Send(i, b.relay, b.legs[i].Bind()); err != nil {
				return err
			}
		}
		err := b.answers()
		if err == nil || !errors.Is(err, flows.ErrTimeout) {
			return err
		}
	}
	return bare.ErrNotBound
}

// answers takes what the relay says, until all are bound or it says no more.
func (b *binding) answers() error {
	for buf := make([]byte, flows.PayloadSize); len(b.open) > 0; {
		n, i, _, err := b.port.Receive(buf, bindWait)
		if err != nil {
			return err
		}
		if !b.open[i] { // an answer to an earlier try
			continue
		}
		bound, err := b.legs[i].Take(buf[:n])
		switch {
		case err != nil:
			return fmt.Errorf("leg %d: %w", i, err)
		case bound:
			delete(b.open, i)
		default:
			if err := b.port.Send(i, b.relay, b.legs[i].Bind()); err != nil {
				return err
			}
		}
	}
	return nil
}
