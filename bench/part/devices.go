package part

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/lethe-relay/lethe/auth/ecv"
	"github.com/lethe-relay/lethe/bench/proc"
	"github.com/lethe-relay/lethe/tunnel"
)

// DevicesConfig is what devices are opened with.
type DevicesConfig struct {
	Devices []DeviceConfig
	Refused string // the code that each is refused with; empty: each is allowed
}

// devices open tunnels and close them, each device one at a time.
type devices struct {
	tally
	dial    []tunnel.DialConfig
	refused string
	ctx     context.Context // ends with the part
	running sync.WaitGroup
}

func newDevices() proc.Part {
	ctx, cancel := context.WithCancel(context.Background())
	d := &devices{ctx: ctx}
	return proc.Part{
		Handlers: map[string]proc.Handler{Open: proc.Handle(d.open), Flow: proc.Handle(d.flow), Progress: proc.Handle(d.progress)},
		Close: func() {
			cancel()
			d.running.Wait()
		},
	}
}

func (d *devices) open(_ context.Context, c DevicesConfig) (any, error) {
	d.refused = c.Refused
	for _, device := range c.Devices {
		dial, err := device.dial()
		if err != nil {
			return nil, err
		}
		d.dial = append(d.dial, dial)
	}
	return nil, nil
}

func (d *devices) flow(context.Context, struct{}) (any, error) {
	for _, cfg := range d.dial {
		d.running.Go(func() {
			for d.note(d.once(cfg)) {
			}
		})
	}
	return nil, nil
}

// once opens a tunnel, and closes it. The time is from Dial to the verdict or the
// refusal, so closing is not part of it. It is an error when the part has ended, or
// something else came of it than should have.
func (d *devices) once(cfg tunnel.DialConfig) (took time.Duration, err error) {
	began := time.Now()
	t, err := tunnel.Dial(d.ctx, cfg)
	if err != nil {
		return time.Since(began), wantRefusal(err, d.refused)
	}
	defer t.Close()
	v, err := t.Verdict(d.ctx)
	took = time.Since(began)
	if err == nil && (v.Verdict != ecv.Allow || d.refused != "") {
		err = fmt.Errorf("a tunnel got the verdict %s, with %s", v.Verdict, ecv.FormatReasons(v.Reasons))
	}
	return took, err
}

// wantRefusal returns nil for a refusal with this code, and other errors as they are.
func wantRefusal(err error, code string) error {
	var refused *tunnel.RefusedError
	if errors.As(err, &refused) && refused.Code == code {
		return nil
	}
	return err
}
