package observe

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/prometheus/procfs"
)

// Swap watches whether memory of the group is swapped out.
type Swap struct {
	group   *Group
	sampler *sampler
	result  Result
	looked  bool
}

// WatchSwap looks every 100 ms.
func WatchSwap(g *Group) *Swap {
	s := &Swap{group: g}
	s.sampler = startSampler(sampleEvery, s.look)
	return s
}

func (s *Swap) look() {
	for _, pid := range s.group.PIDs() {
		p, err := procfs.NewProc(pid)
		if err != nil {
			continue
		}
		status, err := p.NewStatus()
		if err != nil {
			continue
		}
		s.looked = true
		if status.VmSwap > 0 {
			s.result.found(DetectorSwap, fmt.Sprintf("memory of process %d is in swap", pid))
		}
	}
	if c, ok := s.group.cgroups[unified]; ok {
		data, _ := os.ReadFile(c.file("memory.swap.current"))
		if n, _ := strconv.ParseUint(strings.TrimSpace(string(data)), 10, 64); n > 0 {
			s.result.found(DetectorSwap, "memory of the cgroup of the process is in swap")
		}
	}
}

// Stop looks once more and ends. Findings: bytes in swap.
func (s *Swap) Stop() Result {
	s.sampler.stop()
	if !s.looked {
		s.result.blind(DetectorSwap, "the status of the process can't be read")
	}
	if swaps, err := os.ReadFile("/proc/swaps"); err == nil && strings.Count(string(swaps), "\n") < 2 {
		s.result.note(DetectorSwap, "this machine has no swap")
	}
	return s.result
}
