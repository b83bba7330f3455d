package observe

import (
	"fmt"

	"github.com/prometheus/procfs"
)

// Writes counts bytes on their way to disks.
type Writes struct {
	group   *Group
	sampler *sampler
	first   map[int]procfs.ProcIO // by process; nothing for those that came later
	last    map[int]procfs.ProcIO
	cgroups map[string]uint64 // by controller: what was written before
}

// WatchWrites begins to count.
func WatchWrites(g *Group) *Writes {
	w := &Writes{group: g, first: make(map[int]procfs.ProcIO), last: make(map[int]procfs.ProcIO), cgroups: make(map[string]uint64)}
	for controller, c := range g.cgroups {
		if n, ok := c.written(controller); ok {
			w.cgroups[controller] = n
		}
	}
	w.look()
	w.first = w.last
	w.last = make(map[int]procfs.ProcIO)
	w.sampler = startSampler(sampleEvery, w.look)
	return w
}

func (w *Writes) look() {
	for _, pid := range w.group.PIDs() {
		p, err := procfs.NewProc(pid)
		if err != nil {
			continue
		}
		io, err := p.IO()
		if err != nil {
			continue
		}
		w.last[pid] = io
	}
}

// Stop ends counting. Findings: write_bytes of a process, or the bytes written by the cgroup,
// have grown. Bytes passed to write(2) of any kind, sockets too, are a note.
func (w *Writes) Stop() (r Result) {
	w.sampler.stop()
	if len(w.last) == 0 {
		r.blind(DetectorWriteBytes, "/proc/PID/io can't be read: the auditor has to be root")
	}
	for pid, now := range w.last {
		before := w.first[pid]
		if n := now.WriteBytes - before.WriteBytes; n > 0 {
			r.found(DetectorWriteBytes, fmt.Sprintf("process %d has written %d bytes to files", pid, n))
		}
		r.note(DetectorWriteBytes, fmt.Sprintf("process %d has passed %d bytes to write calls, of whatever kind", pid, now.WChar-before.WChar))
	}
	for controller, before := range w.cgroups {
		if now, ok := w.group.cgroups[controller].written(controller); ok && now > before {
			r.found(DetectorWriteBytes, fmt.Sprintf("%d bytes were written to disks by the cgroup of the process", now-before))
		}
	}
	if len(w.cgroups) == 0 {
		r.gap(DetectorWriteBytes, "there is no cgroup of the process alone that counts bytes written to disks; each process was asked instead")
	}
	return r
}
