package observe

import (
	"bufio"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/prometheus/procfs"

	"github.com/lethe-relay/lethe/bench/retention/canary"
)

// Mappings samples the memory mappings of a group.
type Mappings struct {
	group   *Group
	sampler *sampler
	result  Result
	count   int
}

// WatchMappings looks every 100 ms. Findings: a file, memfd or shared memory that is mapped shared
// and writable; a deleted file or a memfd that is mapped at all.
func WatchMappings(g *Group) *Mappings {
	m := &Mappings{group: g}
	m.sampler = startSampler(sampleEvery, m.look)
	return m
}

// Stop looks once more and ends.
func (m *Mappings) Stop() Result {
	m.sampler.stop()
	if m.count == 0 {
		m.result.blind(DetectorMappings, "no mapping of the process could be seen: the auditor has to be root")
	}
	return m.result
}

func (m *Mappings) look() {
	for _, pid := range m.group.PIDs() {
		p, err := procfs.NewProc(pid)
		if err != nil {
			continue
		}
		maps, _ := p.ProcMaps()
		m.count += len(maps)
		for _, mapping := range maps {
			if why := wrongMapping(mapping); why != "" {
				m.result.found(DetectorMappings, fmt.Sprintf("process %d has mapped %s %s", pid, nameOf(mapping), why))
			}
		}
	}
}

// wrongMapping says what is wrong with a mapping; empty if nothing is. A deleted
// program that still runs is nothing wrong: it was replaced.
func wrongMapping(m *procfs.ProcMap) string {
	deleted := strings.HasSuffix(m.Pathname, " (deleted)")
	switch {
	case m.Perms.Shared && m.Perms.Write && m.Inode != 0:
		return "shared and writable: what is put there is in a file"
	case m.Perms.Shared && m.Inode != 0 && (deleted || isMemfd(m.Pathname)):
		return "shared: it has been written to, or can be, as a file"
	case isMemfd(m.Pathname):
		return "as memory that is a file"
	case deleted && m.Perms.Write && m.Offset == 0 && !m.Perms.Private:
		return "though it is deleted"
	}
	return ""
}

func isMemfd(path string) bool {
	return strings.HasPrefix(path, "/memfd:") || strings.HasPrefix(path, "/secretmem") || strings.HasPrefix(path, "/SYSV")
}

// PacketMemory says whether the mappings in which windows or canaries were found are
// locked and kept out of core dumps: the flags lo and dd of /proc/PID/smaps. Call it with what
// [Memory.Scan] has found in mid-session. Findings tell which are not.
func PacketMemory(g *Group, found canary.Found) (r Result) {
	for _, pid := range g.PIDs() {
		flags, err := smapsFlags(pid)
		if err != nil {
			r.gap(DetectorMappings, fmt.Sprintf("smaps of process %d can't be read: %v", pid, err))
			continue
		}
		for _, place := range found.Places {
			start, ok := strings.CutSuffix(place.In, fmt.Sprintf(" of process %d", pid))
			if !ok || place.Kind == canary.KindIdentifier {
				continue
			}
			start = start[strings.LastIndex(start, "0x")+2:]
			if !slices.Contains(flags[start], "dd") {
				r.found(DetectorMappings, "a core dump would hold what is in "+place.In)
			}
			if !slices.Contains(flags[start], "lo") {
				r.found(DetectorMappings, "memory is not locked, and may be swapped out: "+place.In)
			}
		}
	}
	return r
}

// smapsFlags returns the VmFlags of each mapping, by its start as maps prints it.
func smapsFlags(pid int) (map[string][]string, error) {
	f, err := os.Open(proc(pid, "smaps"))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	flags := make(map[string][]string)
	start := ""
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		name, rest, _ := strings.Cut(lines.Text(), " ")
		switch from, _, ok := strings.Cut(name, "-"); {
		case ok && !strings.HasSuffix(name, ":"):
			start = strings.TrimLeft(from, "0")
		case name == "VmFlags:":
			flags[start] = strings.Fields(rest)
		}
	}
	return flags, lines.Err()
}
