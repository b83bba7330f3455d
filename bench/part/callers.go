package part

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/bench/bare"
	"github.com/lethe-relay/lethe/bench/proc"
	"github.com/lethe-relay/lethe/internal/udpio"
	"github.com/lethe-relay/lethe/internal/wire"
)

// callers are devices whose control connections live. Each opens sessions without
// tunnels, one at a time: it asks, with grant and evidence, binds its leg, has a
// datagram go to the router and back, and ends the session.
type callers struct {
	tally
	refused string // the code that each open is refused with; empty: each is let in
	each    []*caller
	ctx     context.Context // ends with the part
	running sync.WaitGroup
}

// caller is one of them.
type caller struct {
	conn    *bare.Conn
	router  auth.RouterID
	grant   []byte
	secret  [32]byte // zero: it shows nothing
	pattern pattern
	opened  uint64 // numbers its datagrams
}

func newCallers() proc.Part {
	ctx, cancel := context.WithCancel(context.Background())
	c := &callers{ctx: ctx}
	return proc.Part{
		Handlers: map[string]proc.Handler{Open: proc.Handle(c.open), Flow: proc.Handle(c.flow), Progress: proc.Handle(c.progress)},
		Close: func() {
			cancel()
			c.running.Wait()
			for _, d := range c.each {
				d.conn.Close()
			}
		},
	}
}

func (c *callers) open(ctx context.Context, cfg DevicesConfig) (any, error) {
	c.refused = cfg.Refused
	content := newPattern()
	for _, device := range cfg.Devices {
		d, err := device.call(ctx, content)
		if err != nil {
			return nil, err
		}
		c.each = append(c.each, d)
	}
	return nil, nil
}

// call makes the device's control connection.
func (c DeviceConfig) call(ctx context.Context, content pattern) (*caller, error) {
	id, err := auth.ParseIdentity(c.Identity)
	if err != nil {
		return nil, err
	}
	url, err := auth.ParseRelayURL(c.Relay)
	if err != nil {
		return nil, err
	}
	conn, err := bare.Dial(ctx, url, id, local())
	if err != nil {
		return nil, err
	}
	return &caller{conn: conn, router: c.Router, grant: c.Grant, secret: c.Secret, pattern: content}, nil
}

func (c *callers) flow(context.Context, struct{}) (any, error) {
	for _, d := range c.each {
		c.running.Go(func() {
			for c.ctx.Err() == nil && c.note(c.once(d)) {
			}
		})
	}
	return nil, nil
}

// once opens a session and ends it. The time is from the request to the first
// byte that has come back, or to the refusal. It is an error when something else
// came of it than should have.
func (c *callers) once(d *caller) (took time.Duration, err error) {
	request, err := d.request(time.Now())
	if err != nil {
		return 0, err
	}
	began := time.Now()
	leg, err := d.conn.OpenWith(c.ctx, request)
	if err != nil {
		return time.Since(began), wantCode(err, c.refused)
	}
	defer leg.Close()
	err = d.exchange(leg)
	took = time.Since(began)
	if err == nil && c.refused != "" {
		err = fmt.Errorf("a session was opened that should be refused with %s", c.refused)
	}
	return took, errors.Join(err, leg.Unbind())
}

// request asks for a session, and shows where the device is now. The proofs are
// made anew for each, as a device does.
func (d *caller) request(now time.Time) (*wire.Open, error) {
	m := &wire.Open{Router: d.router, Grant: d.grant, Purpose: wire.PurposeTunnel}
	if d.secret == [32]byte{} {
		return m, nil
	}
	here, err := Here(now)
	if err != nil {
		return nil, err
	}
	return m, d.conn.Show(m, d.secret, here)
}

// exchange has a datagram come back from the router.
func (d *caller) exchange(leg *bare.Leg) error {
	out := d.pattern.datagrams(1)
	d.opened++
	d.pattern.number(out, d.opened)
	if err := leg.Conn.NewWriter(1).WriteBatch([]udpio.Message{{Buf: out, N: len(out), Path: leg.Path()}}); err != nil {
		return err
	}
	in, err := carried(leg, echoTimeout)
	if err != nil {
		return err
	}
	if number, ok := d.pattern.check(in, true); !ok || number != d.opened {
		return errContent
	}
	return nil
}

// wantCode returns nil for the relay's refusal with this code, and other errors as
// they are.
func wantCode(err error, code string) error {
	var refused *wire.Error
	if errors.As(err, &refused) && code != "" && string(refused.Code) == code {
		return nil
	}
	return err
}
