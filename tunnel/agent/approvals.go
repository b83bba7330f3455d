package agent

import (
	"context"
	"sync"
	"time"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/auth/ecv"
	"github.com/lethe-relay/lethe/internal/wire"
)

// approvals are the devices that wait for an owner's word, each in a tunnel in
// which nothing else is served.
type approvals struct {
	mu      sync.Mutex
	waiting map[auth.DeviceID]*waiting
}

type waiting struct {
	since   time.Time
	reasons []ecv.Reason
	decided chan decision // has room for one
}

// decision is an owner's word.
type decision struct {
	approved bool
	by       auth.DeviceID // zero: the router's administrator, or nobody any more
}

// wait waits until an owner has decided or ctx ends, and tells who has. A device
// that asks again takes the place of its earlier question.
func (p *approvals) wait(ctx context.Context, device auth.DeviceID, reasons []ecv.Reason) (by auth.DeviceID, err error) {
	w := &waiting{since: time.Now(), reasons: reasons, decided: make(chan decision, 1)}
	p.mu.Lock()
	if before := p.waiting[device]; before != nil {
		before.decided <- decision{}
	}
	p.waiting[device] = w
	p.mu.Unlock()
	var word decision
	select {
	case word = <-w.decided:
	case <-ctx.Done():
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	select { // who has decided was told that it counts, even if ctx ended at that moment
	case word = <-w.decided:
	default:
	}
	if p.waiting[device] == w {
		delete(p.waiting, device)
	}
	if !word.approved {
		err = refused(wire.CodeNotApproved)
	}
	return word.by, err
}

// decide gives an owner's word, and tells whether anybody waited for it.
func (p *approvals) decide(device auth.DeviceID, word decision) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	w := p.waiting[device]
	if w == nil {
		return false
	}
	w.decided <- word
	delete(p.waiting, device)
	return true
}

// of returns since when a device waits, and for what reasons.
func (p *approvals) of(device auth.DeviceID) (since time.Time, reasons []ecv.Reason, waits bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	w := p.waiting[device]
	if w == nil {
		return time.Time{}, nil, false
	}
	return w.since, w.reasons, true
}
