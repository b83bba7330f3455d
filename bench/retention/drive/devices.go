package drive

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"time"

	"github.com/lethe-relay/lethe/auth"
	"github.com/lethe-relay/lethe/bench/bare"
	"github.com/lethe-relay/lethe/bench/proc"
	"github.com/lethe-relay/lethe/tunnel"
)

const (
	opensAtOnce = 8 // sessions that a part opens at once
	opensTried  = 3 // times
)

// Devices is what the part of that name is opened with.
type Devices struct {
	Shared
	Devices []Device
	Full    bool // streams go as fast as they can
}

// Device is a device that opens one session.
type Device struct {
	Identity []byte // PEM
	Router   auth.RouterID
	Grant    []byte
	From     netip.Addr // of a session without a tunnel; invalid: it has one
}

// Ways in which the part's sessions end when it is asked to close them.
const (
	byUnbind  = "unbind"  // the devices close them
	byErasure = "erasure" // the devices ask the relay to erase them, which ends them
	byStall   = "stall"   // the devices close them once they have noticed that nothing comes any more
)

// devices are the devices of a group.
type devices struct {
	*part
	devices []Device

	opening sync.Mutex
	tunnels []*tunnel.Tunnel // guarded by opening
	ends    []*bareEnd       // guarded by opening
}

func newDevices() proc.Part {
	d := &devices{part: newPart()}
	return proc.Part{
		Handlers: d.handlers(map[string]proc.Handler{
			askOpen: proc.Handle(d.open), askNamed: proc.Handle(d.tell), askClose: proc.Handle(d.end),
		}),
		Close: func() {
			d.unbind(context.Background(), false)
			d.running.Wait()
		},
	}
}

// open opens all sessions, some at a time, and begins to send.
func (d *devices) open(ctx context.Context, c Devices) (any, error) {
	if err := d.share(c.Shared); err != nil {
		return nil, err
	}
	d.devices = c.Devices
	every := chunkEvery
	if c.Full {
		every = 0
	}
	return nil, d.each(func(i int, device Device) error {
		return patiently(func() error {
			if device.From.IsValid() {
				return d.openBare(ctx, i, device)
			}
			return d.openTunnel(ctx, i, device, every)
		})
	})
}

// patiently tries again what has failed: a relay at full load may lose a whole
// handshake, and an app would dial again, too.
func patiently(do func() error) (err error) {
	for range opensTried {
		if err = do(); err == nil {
			return nil
		}
	}
	return err
}

// each calls f for all devices, some at a time.
func (d *devices) each(f func(int, Device) error) error {
	var running sync.WaitGroup
	defer running.Wait()
	errs := make(chan error, len(d.devices))
	places := make(chan struct{}, opensAtOnce)
	for i, device := range d.devices {
		places <- struct{}{}
		running.Go(func() {
			errs <- f(i, device)
			<-places
		})
	}
	var all []error
	for range d.devices {
		all = append(all, <-errs)
	}
	return errors.Join(all...)
}

func (d *devices) openTunnel(ctx context.Context, i int, device Device, every time.Duration) error {
	id, err := auth.ParseIdentity(device.Identity)
	if err != nil {
		return err
	}
	t, err := tunnel.Dial(ctx, tunnel.DialConfig{
		Identity: id, Control: d.watch,
		Router: tunnel.Router{Relay: d.url, ID: device.Router, Grant: device.Grant},
	})
	if err != nil {
		return fmt.Errorf("tunnel %d: %w", i, err)
	}
	d.opening.Lock()
	d.tunnels = append(d.tunnels, t)
	d.opening.Unlock()
	stream, err := t.Open(ctx, service)
	if err != nil {
		return fmt.Errorf("stream %d: %w", i, err)
	}
	e, number := &streamEnd{conn: stream, part: d.part, every: every}, firstNumber(d.group, i)|tunnelBit
	if err := e.begin(number); err != nil {
		return fmt.Errorf("stream %d: %w", i, err)
	}
	d.running.Go(func() { e.run(number, number|routerBit) })
	return nil
}

func (d *devices) openBare(ctx context.Context, i int, device Device) error {
	id, err := auth.ParseIdentity(device.Identity)
	if err != nil {
		return err
	}
	conn, err := bare.Dial(ctx, d.url, id, device.From)
	if err != nil {
		return fmt.Errorf("device %d: %w", i, err)
	}
	defer conn.Close() // a session lives by its legs
	leg, err := conn.Open(ctx, device.Router, device.Grant)
	if err != nil {
		return fmt.Errorf("session %d: %w", i, err)
	}
	end := newBareEnd(leg, d.part, firstNumber(d.group, i), nil)
	end.sending.Go(end.pace)
	d.opening.Lock()
	d.ends = append(d.ends, end)
	d.opening.Unlock()
	return nil
}

// tell names what the devices' sessions are known by.
func (d *devices) tell(context.Context, struct{}) (any, error) {
	n, err := d.named()
	if err != nil {
		return nil, err
	}
	d.opening.Lock()
	defer d.opening.Unlock()
	for _, end := range d.ends {
		n.add(end.named())
	}
	return n, nil
}

// end ends all sessions.
func (d *devices) end(ctx context.Context, how string) (any, error) {
	if how == byErasure {
		return nil, d.erase(ctx)
	}
	d.unbind(ctx, how == byStall)
	return nil, nil
}

// unbind closes the sessions, all at once, and those in tunnels only when they
// have stalled if that is to be waited for.
func (d *devices) unbind(ctx context.Context, stalled bool) {
	d.opening.Lock()
	defer d.opening.Unlock()
	var closing sync.WaitGroup
	for _, t := range d.tunnels {
		closing.Go(func() {
			if stalled {
				awaitStall(ctx, t)
			}
			t.Close()
		})
	}
	for _, end := range d.ends {
		end.close(true)
	}
	closing.Wait()
}

// awaitStall waits as an app does which then dials again.
func awaitStall(ctx context.Context, t *tunnel.Tunnel) {
	look := time.NewTicker(100 * time.Millisecond)
	defer look.Stop()
	for !t.Stalled() {
		select {
		case <-look.C:
		case <-t.Done():
			return
		case <-ctx.Done():
			return
		}
	}
}

// erase has the relay end the sessions.
func (d *devices) erase(ctx context.Context) error {
	return d.each(func(i int, device Device) error {
		id, err := auth.ParseIdentity(device.Identity)
		if err != nil {
			return err
		}
		return patiently(func() error {
			_, err := tunnel.Inspect(ctx, tunnel.RelayConfig{Identity: id, Relay: d.url}, device.Router, true)
			return err
		})
	})
}
