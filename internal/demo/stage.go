package demo

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/lethe-relay/lethe/relay"
	"github.com/lethe-relay/lethe/tunnel/agent"
	"github.com/lethe-relay/lethe/tunnel/device"
)

const (
	serviceName = "http" // of the admin page
	routerName  = "demo-router"
)

// Config says how a demo runs. All of it is needed.
type Config struct {
	Version  string                          // of the program
	Log      *slog.Logger                    // of relay and agent
	Progress func(what string) (done func()) // told of what may take long
}

// stage is all that a demo consists of, running.
type stage struct {
	// static
	cfg  Config
	ctx  context.Context // ends with the caller's, or when a part fails
	fail context.CancelCauseFunc
	dir  string

	// static once open has returned
	page   *page
	relay  *relay.Relay
	wire   *wire
	router *agent.Config
	device *device.Store
	uri    string // that was paired with; its one-time secret is used up
	link   *device.Link
	url    string // of the page, at the device's local port

	cleanups []func() error // in the order of opening
}

// open sets the stage: relay, router and device run, are paired, and have a
// tunnel. The caller closes it, whatever open returns.
func open(ctx context.Context, cfg Config) (*stage, error) {
	s := &stage{cfg: cfg}
	s.ctx, s.fail = context.WithCancelCause(ctx)
	defer cfg.Progress("starting relay, router and device")()
	for _, step := range []func() error{
		s.makeDir, s.startPage, s.startRelay, s.startWire, s.startRouter, s.pair, s.connect, s.openPort,
	} {
		if err := step(); err != nil {
			return s, s.because(err)
		}
	}
	return s, nil
}

// because returns what ended the demo if something did, or else err.
func (s *stage) because(err error) error {
	if err != nil && s.ctx.Err() != nil {
		return context.Cause(s.ctx)
	}
	return err
}

// end closes the stage and returns why the demo ended: err, unless only closing
// failed.
func (s *stage) end(err error) error {
	closing := s.close()
	if err == nil {
		return closing
	}
	return err
}

// close ends all parts, the last one first, and removes the directory.
func (s *stage) close() error {
	var errs []error
	for len(s.cleanups) > 0 {
		last := len(s.cleanups) - 1
		errs = append(errs, s.cleanups[last]())
		s.cleanups = s.cleanups[:last]
	}
	s.fail(nil)
	return errors.Join(errs...)
}

// run starts a part that works until its context ends. When it ends before,
// so does the demo.
func (s *stage) run(name string, part func(context.Context) error) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(s.ctx))
	var err error
	var running sync.WaitGroup
	running.Go(func() {
		err = part(ctx)
		if ctx.Err() == nil {
			s.fail(fmt.Errorf("the %s ended by itself: %w", name, err))
		}
	})
	s.cleanups = append(s.cleanups, func() error {
		cancel()
		running.Wait()
		return err
	})
}

func (s *stage) makeDir() (err error) {
	if s.dir, err = os.MkdirTemp("", "lethe-demo-"); err != nil {
		return fmt.Errorf("there is no room for temporary files: %w; set TMPDIR to a directory that can be written", err)
	}
	s.cleanups = append(s.cleanups, func() error { return os.RemoveAll(s.dir) })
	return nil
}

func (s *stage) path(name string) string { return filepath.Join(s.dir, name) }

func (s *stage) startPage() (err error) {
	leases := s.path("dhcp.leases")
	if err = writeLeases(leases, time.Now()); err != nil {
		return err
	}
	if s.page, err = newPage(s.cfg.Version, leases); err != nil {
		return err
	}
	s.run("admin page", func(ctx context.Context) error { return s.page.serve(ctx, s.cfg.Log) })
	return nil
}
