package drive

import (
	"context"
	"fmt"
	"io"
	"net/netip"
	"sync"
	"time"

	"github.com/lethe-relay/lethe/bench/retention/canary"
	"github.com/lethe-relay/lethe/bench/retention/observe"
)

const (
	scrapeEvery  = 500 * time.Millisecond
	windowBudget = 50_000 // windows of ciphertext, 16 bytes each
)

// detectors are what there is in every report.
func detectors() []string {
	return []string{
		observe.DetectorDescriptors, observe.DetectorMappings, observe.DetectorWriteBytes, observe.DetectorFileEvents,
		observe.DetectorSystemCalls, observe.DetectorOutput, observe.DetectorMetrics, observe.DetectorEgress,
		observe.DetectorMemory, observe.DetectorContent, observe.DetectorSwap, observe.DetectorProcesses, observe.DetectorCore,
	}
}

// watch is all observers of one relay.
type watch struct {
	group       *observe.Group
	output      *observe.Output
	metrics     *observe.Metrics
	descriptors *observe.Descriptors
	mappings    *observe.Mappings
	writes      *observe.Writes
	files       *observe.Files
	egress      *observe.Egress
	sampler     *observe.Sampler
	swap        *observe.Swap
	processes   *observe.Processes

	calls   sync.WaitGroup
	mu      sync.Mutex
	results observe.Result // guarded by mu
}

// collect begins with a process that has just been started: its output has to
// be read.
func collect(r *Relay, unit string) *watch {
	w := new(watch)
	readers := map[string]io.Reader{}
	if r.Out != nil {
		w.group = observe.Enclose(r.PID)
		readers["stdout"], readers["stderr"] = r.Out, r.Err
	} else {
		w.group = observe.NewGroup(r.PID)
		w.note(observe.Result{NotChecked: []observe.Gap{{
			Detector: observe.DetectorOutput, Blind: unit == "", Why: "what the relay prints goes where it went before the audit; only its journal can be looked through",
		}}})
	}
	w.output = observe.CollectOutput(readers, nil)
	if unit != "" {
		w.output.AddJournal(unit)
	}
	return w
}

// begin starts the observers of a relay that serves.
func (w *watch) begin(ctx context.Context, r *Relay, calls time.Duration) {
	g := w.group
	w.descriptors, w.mappings = observe.WatchDescriptors(g), observe.WatchMappings(g)
	w.writes, w.files = observe.WatchWrites(g), observe.WatchFiles(g, nil)
	w.swap, w.processes = observe.WatchSwap(g), observe.WatchProcesses(g)
	w.metrics = observe.WatchMetrics(r.Admin.Socket, []string{r.Admin.URL("/metrics"), r.Admin.URL("/retention")}, scrapeEvery)
	w.egress = observe.WatchEgress(g, r.Addr.Port())
	w.egress.Announce(netip.AddrPortFrom(loopback(), 0), netip.AddrPortFrom(r.Addr.Addr(), 0))
	w.sampler = observe.StartSampler(g, r.Addr.Port(), windowBudget)
	w.sampler.Only() // nobody yet
	w.calls.Go(func() { w.note(observe.TraceCalls(ctx, g, calls)) })
}

func (w *watch) note(r observe.Result) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.results.Add(r)
}

// end stops the observers of a relay that still runs.
func (w *watch) end() {
	w.calls.Wait()
	w.metrics.Stop()
	for _, r := range []observe.Result{
		w.sampler.Stop(), w.egress.Stop(), w.files.Stop(), w.writes.Stop(),
		w.descriptors.Stop(), w.mappings.Stop(), w.swap.Stop(), w.processes.Stop(),
	} {
		w.note(r)
	}
}

// published looks for all that was sought in what the relay has printed and
// published. A relay that was started has ended by then.
func (w *watch) published(f *canary.Finder) {
	w.output.Stop()
	found, result := w.output.Scan(f)
	w.note(result)
	w.note(leaked(observe.DetectorOutput, "printed", found))
	found, result = w.metrics.Scan(f)
	w.note(result)
	w.note(leaked(observe.DetectorMetrics, "published", found))
}

// leaked makes findings of what was found where nothing may be.
func leaked(detector, where string, found canary.Found) (r observe.Result) {
	if !found.Any() {
		return r
	}
	what := fmt.Sprintf("%d canary blocks, %d windows of ciphertext and %d identifiers were %s", found.Canaries, found.Windows, found.Identifiers, where)
	for _, p := range found.Places {
		what += "; " + p.String()
	}
	r.Findings = append(r.Findings, observe.Finding{Detector: detector, What: what})
	return r
}
