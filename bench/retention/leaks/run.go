package leaks

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/lethe-relay/lethe/bench/retention/drive"
	"github.com/lethe-relay/lethe/bench/retention/observe"
	"github.com/lethe-relay/lethe/bench/retention/verdict"
)

// atOnce is how many audits run at the same time. Most of an audit is waiting.
const atOnce = 3

// Modes are the lockdowns that each variant is tried with.
func Modes() []string { return []string{"require", "off"} }

// Outcome is what became of one variant in one mode.
type Outcome struct {
	Variant string          `json:"variant"` // empty: the build that could leak, and doesn't
	Mode    string          `json:"lockdown"`
	Refused []string        `json:"refused,omitempty"` // by the kernel, and how
	Done    bool            `json:"done"`              // it has leaked, or some of it
	Caught  []string        `json:"caught,omitempty"`  // by these detectors
	Seconds float64         `json:"seconds"`
	OK      bool            `json:"ok"`
	Why     string          `json:"why,omitempty"` // of not OK
	Verdict verdict.Verdict `json:"verdict"`

	detectors []string // all that found something
}

// Run audits all variants in both modes. binary is a relay that was built with
// the tag lethe_leak, dir an empty folder. An error says that there is no result.
func Run(ctx context.Context, binary, dir string, progress func(string)) (*Table, error) {
	t := &Table{}
	for _, mode := range Modes() {
		clean, err := try(ctx, Variant{}, mode, binary, dir)
		if err == nil && clean.Verdict == verdict.Invalid { // by an unlucky moment of the machine, perhaps
			progress(clean.String())
			clean, err = try(ctx, Variant{}, mode, binary, dir)
		}
		if err != nil {
			return nil, err
		}
		progress(clean.String())
		t.Clean = append(t.Clean, clean)
	}
	var jobs []job
	for _, v := range Variants() {
		for i, mode := range Modes() {
			jobs = append(jobs, job{v, mode, t.Clean[i]})
		}
	}
	// Those that take longest begin first.
	slices.SortStableFunc(jobs, func(a, b job) int { return b.late() - a.late() })
	outcomes, err := all(ctx, jobs, binary, dir, progress)
	t.Outcomes = outcomes
	return t, err
}

// job is one audit.
type job struct {
	Variant
	mode  string
	clean Outcome // of the same build and mode, without a leak
}

func (j job) late() int {
	if j.Late {
		return 1
	}
	return 0
}

// all does the jobs, some at once.
func all(ctx context.Context, jobs []job, binary, dir string, progress func(string)) (outcomes []Outcome, err error) {
	var running sync.WaitGroup
	var mu sync.Mutex
	places := make(chan struct{}, atOnce)
	for _, j := range jobs {
		places <- struct{}{}
		running.Go(func() {
			defer func() { <-places }()
			o, failed := try(ctx, j.Variant, j.mode, binary, dir)
			o.judge(j)
			mu.Lock()
			defer mu.Unlock()
			if failed != nil && err == nil {
				err = fmt.Errorf("%s, lockdown %s: %w", j.Name, j.mode, failed)
			}
			outcomes = append(outcomes, o)
			progress(o.String())
		})
	}
	running.Wait()
	return outcomes, err
}

// try makes one audit.
func try(ctx context.Context, v Variant, mode, binary, parent string) (o Outcome, err error) {
	o = Outcome{Variant: v.Name, Mode: mode}
	began := time.Now()
	defer func() { o.Seconds = time.Since(began).Seconds() }()
	dir, err := os.MkdirTemp(parent, "")
	if err != nil {
		return o, err
	}
	defer os.RemoveAll(dir)
	s, err := openSinks(dir)
	if err != nil {
		return o, err
	}
	defer s.close()
	opt := v.options()
	opt.Launch = drive.Launch{Binary: binary, Dir: filepath.Join(dir, "relay"), Lockdown: mode, Env: s.env(v.Name)}
	var printed []string
	opt.Printed = func(lines []string) { printed = lines }
	report, err := drive.Audit(ctx, opt)
	if err != nil {
		return o, err
	}
	o.Verdict, o.detectors = report.Verdict, found(report)
	if len(report.Why) > 0 {
		o.Why = report.Why[0]
	}
	o.read(v.Name, printed)
	return o, nil
}

// found names the detectors that have found something.
func found(r *verdict.Report) (names []string) {
	for _, d := range r.Detectors {
		if len(d.Findings) > 0 {
			names = append(names, d.Name)
		}
	}
	for _, s := range r.Scans {
		for _, c := range s.Counts {
			if c.Claimed && c.Found > 0 && !slices.Contains(names, observe.DetectorMemory) {
				names = append(names, observe.DetectorMemory)
			}
		}
	}
	return names
}

// read reads what the build says of its leak.
func (o *Outcome) read(name string, lines []string) {
	for _, line := range lines {
		rest, ours := strings.CutPrefix(line, "leak "+name+": ")
		why, refused := strings.CutPrefix(rest, "refused: ")
		switch {
		case ours && refused:
			o.Refused = append(o.Refused, why)
		case ours && rest == "done":
			o.Done = true
		}
	}
}

// judge decides whether the leak was refused or caught.
func (o *Outcome) judge(j job) {
	o.Why = ""
	for _, name := range j.Caught {
		if slices.Contains(o.detectors, name) && !slices.Contains(j.clean.detectors, name) {
			o.Caught = append(o.Caught, name)
		}
	}
	switch {
	case len(o.Caught) > 0:
		o.OK = true
	case o.Done:
		o.Why = "it has leaked, and no detector has seen it"
	case len(o.Refused) == 0:
		o.Why = "it has not tried to leak"
	case o.Mode == "off":
		o.Why = "it was refused, although there is no lockdown: the detectors were not tried"
	default:
		o.OK = true
	}
}

// sinks are where leaks can go.
type sinks struct {
	dir    string
	stream net.Listener // a unix socket
	tcp    net.Listener
	udp    net.PacketConn
	ending sync.WaitGroup
}

// openSinks opens sinks that take and forget all.
func openSinks(dir string) (*sinks, error) {
	for _, name := range []string{"leak", "relay"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o700); err != nil {
			return nil, err
		}
	}
	s := &sinks{dir: dir}
	var errs [3]error
	s.stream, errs[0] = net.Listen("unix", filepath.Join(dir, "sink"))
	s.tcp, errs[1] = net.Listen("tcp", "127.200.0.1:0")
	s.udp, errs[2] = net.ListenPacket("udp", "127.200.0.1:0")
	if err := errors.Join(errs[:]...); err != nil {
		s.close()
		return nil, err
	}
	for _, l := range []net.Listener{s.stream, s.tcp} {
		s.ending.Go(func() { s.take(l) })
	}
	return s, nil
}

// take takes what comes in to l, until it is closed.
func (s *sinks) take(l net.Listener) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		s.ending.Go(func() {
			defer conn.Close()
			io.Copy(io.Discard, conn)
		})
	}
}

func (s *sinks) env(leak string) []string {
	return []string{
		"LETHE_LEAK=" + leak, "LETHE_LEAK_DIR=" + filepath.Join(s.dir, "leak"),
		"LETHE_LEAK_SOCKET=" + filepath.Join(s.dir, "sink"), "LETHE_LEAK_UDP=" + s.udp.LocalAddr().String(),
		"LETHE_LEAK_TCP=" + s.tcp.Addr().String(),
	}
}

func (s *sinks) close() {
	if s.stream != nil {
		s.stream.Close()
	}
	if s.tcp != nil {
		s.tcp.Close()
	}
	if s.udp != nil {
		s.udp.Close()
	}
	s.ending.Wait()
}
