package observe

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/prometheus/procfs"

	"github.com/lethe-relay/lethe/bench/retention/canary"
)

// Memory copies all readable memory of a group, and looks through the copy.
// For one goroutine.
type Memory struct {
	group  *Group
	buffer []byte
	pieces []piece
	result Result
}

// piece is what lies together, in the process and in the copy.
type piece struct {
	pid    int
	name   string // of the mapping
	start  uint64 // of the mapping
	at     span
	copied []byte
}

// Copied says what a snapshot holds.
type Copied struct {
	At       time.Time     `json:"at"`      // when copying began
	Took     time.Duration `json:"took_ns"` // until it ended
	Bytes    int64         `json:"bytes"`
	Mappings int           `json:"mappings"`
	PIDs     []int         `json:"pids"`
}

// NewMemory returns a Memory. Its buffer grows to the size of the largest snapshot and is used
// again, so that the first snapshot takes longer than others.
func NewMemory(g *Group) *Memory { return &Memory{group: g} }

// Snapshot copies what is in memory or swap now, quickly: looking comes later. It replaces the
// last snapshot. The error says that there is no process to read, or no right to.
func (m *Memory) Snapshot() (Copied, error) {
	c := Copied{At: time.Now(), PIDs: m.group.PIDs()}
	m.pieces = m.pieces[:0]
	var failed error
	for _, pid := range c.PIDs {
		n, err := m.list(pid)
		c.Mappings += n
		if err != nil {
			failed = errors.Join(failed, fmt.Errorf("the memory of process %d can't be listed: %w", pid, err))
		}
	}
	m.grow()
	for _, pid := range c.PIDs {
		if err := m.copy(pid); err != nil {
			failed = errors.Join(failed, fmt.Errorf("the memory of process %d can't be read: %w", pid, err))
		}
	}
	for _, p := range m.pieces {
		c.Bytes += int64(len(p.copied))
	}
	c.Took = time.Since(c.At)
	if c.Bytes == 0 {
		return c, errors.Join(errors.New("no memory was read: is the process gone, or is the auditor not root?"), failed)
	}
	if failed != nil { // a child that has just ended
		m.result.gap(DetectorMemory, failed.Error())
	}
	return c, nil
}

// list finds out what there is to copy.
func (m *Memory) list(pid int) (mappings int, err error) {
	p, err := procfs.NewProc(pid)
	if err != nil {
		return 0, err
	}
	maps, err := p.ProcMaps()
	if err != nil {
		return 0, err
	}
	pages, err := openPages(pid)
	if err != nil {
		return 0, err
	}
	defer pages.file.Close()
	for _, mapping := range maps {
		all := span{uint64(mapping.StartAddr), uint64(mapping.EndAddr)}
		if kernelOwn(mapping.Pathname) {
			continue
		}
		spans := []span{all}
		if !mapping.Perms.Shared { // of a shared one, what another process or write(2) has put there counts too
			if spans, err = pages.in(all); err != nil {
				return mappings, err
			}
		}
		mappings++
		for _, s := range spans {
			m.pieces = append(m.pieces, piece{pid: pid, name: nameOf(mapping), start: all.from, at: s})
		}
	}
	return mappings, nil
}

// kernelOwn says whether a mapping holds nothing but what the kernel tells every process.
func kernelOwn(name string) bool {
	return name == "[vvar]" || name == "[vvar_vclock]" || name == "[vsyscall]" || name == "[vdso]"
}

func nameOf(mapping *procfs.ProcMap) string {
	if mapping.Pathname != "" {
		return mapping.Pathname
	}
	return "anonymous memory"
}

// grow makes the buffer large enough and gives each piece its place.
func (m *Memory) grow() {
	need := uint64(0)
	for _, p := range m.pieces {
		need += p.at.to - p.at.from
	}
	if need > uint64(len(m.buffer)) {
		m.buffer = make([]byte, need+need/8)
	}
	free := m.buffer
	for i := range m.pieces {
		p := &m.pieces[i]
		size := p.at.to - p.at.from
		p.copied, free = free[:size:size], free[size:]
	}
}

func (m *Memory) copy(pid int) error {
	f, err := os.Open(proc(pid, "mem"))
	if err != nil {
		m.drop(pid)
		return err
	}
	defer f.Close()
	for i := range m.pieces {
		p := &m.pieces[i]
		if p.pid != pid {
			continue
		}
		n, err := f.ReadAt(p.copied, int64(p.at.from))
		p.copied = p.copied[:n]
		if err != nil && n == 0 {
			m.unreadable(p)
		}
	}
	return nil
}

// drop forgets what was to be copied of a process, so that nothing old is looked at.
func (m *Memory) drop(pid int) {
	for i := range m.pieces {
		if m.pieces[i].pid == pid {
			m.pieces[i].copied = nil
		}
	}
}

// unreadable tells of a mapping that can't be read and yet is still there.
func (m *Memory) unreadable(p *piece) {
	what := fmt.Sprintf("%d bytes of %s of process %d", p.at.to-p.at.from, p.name, p.pid)
	if strings.Contains(p.name, "secretmem") {
		m.result.found(DetectorMemory, what+" can't be read by anybody (memfd_secret): whatever is there is hidden from the audit")
		return
	}
	if maps, err := os.ReadFile(proc(p.pid, "maps")); err == nil && strings.Contains(string(maps), fmt.Sprintf("%08x-", p.start)) {
		m.result.gap(DetectorMemory, what+" could not be read")
	}
}

// Scan looks through the last snapshot. Places name process and mapping; offsets are from
// the beginning of that.
func (m *Memory) Scan(f *canary.Finder) canary.Found {
	var found canary.Found
	for _, p := range m.pieces {
		if len(p.copied) > 0 {
			found.Add(f.Scan(p.copied), placeName(p), p.at.from-p.start)
		}
	}
	return found
}

// placeName is what places in a mapping are called; [PacketMemory] reads the address from it.
func placeName(p piece) string { return fmt.Sprintf("%s at %#x of process %d", p.name, p.start, p.pid) }

// Result tells what could not be read, in any snapshot. Findings are memory that nobody can read (memfd_secret).
func (m *Memory) Result() Result { return m.result }
