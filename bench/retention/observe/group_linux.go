package observe

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// Group is an audited process and all that it starts. Its methods may be called from any
// goroutine. It is not stopped or changed otherwise than by its cgroup.
type Group struct {
	pid     int
	cgroups map[string]cgroup // by controller; "" is the hierarchy of version 2
	made    bool              // the cgroups are ours

	mu   sync.Mutex
	seen map[int]bool // all members ever, the dead too
}

// NewGroup takes a running process as it is, and what it starts from now on. Its
// cgroup is read where nobody else is in it.
func NewGroup(pid int) *Group {
	g := &Group{pid: pid, cgroups: make(map[string]cgroup), seen: map[int]bool{pid: true}}
	for controller, c := range cgroupsOf(pid) {
		if members, err := c.members(); err == nil && len(members) > 0 && containsAll(g.descendants(), members) {
			g.cgroups[controller] = c
		}
	}
	return g
}

// Enclose is NewGroup for a process that the caller has started: it is moved
// into a cgroup of its own, below the one it is in, wherever that is possible,
// so that whatever it starts is counted, too. The caller calls Close.
func Enclose(pid int) *Group {
	g := &Group{pid: pid, cgroups: make(map[string]cgroup), made: true, seen: map[int]bool{pid: true}}
	for controller, parent := range cgroupsOf(pid) {
		if child, err := parent.child(fmt.Sprintf("lethe-audit-%d", pid), g.descendants()); err == nil {
			g.cgroups[controller] = child
		}
	}
	return g
}

// PID is the audited process.
func (g *Group) PID() int { return g.pid }

// PIDs are the process and its living descendants, those that another process has
// inherited too if the group has a cgroup.
func (g *Group) PIDs() []int {
	pids := g.descendants()
	for _, c := range g.cgroups {
		members, _ := c.members()
		pids = append(pids, members...)
	}
	slices.Sort(pids)
	pids = slices.Compact(pids)
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, pid := range pids {
		g.seen[pid] = true
	}
	return pids
}

// Close moves what still lives back and removes the group's cgroups. It ends no process.
func (g *Group) Close() error {
	if !g.made {
		return nil
	}
	for _, c := range g.cgroups {
		if err := c.remove(); err != nil {
			return err
		}
	}
	return nil
}

// add takes a process whose beginning was seen, if its parent is a member.
func (g *Group) add(pid, parent int) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.seen[parent] {
		return false
	}
	g.seen[pid] = true
	return true
}

// member says whether a process is or was one of the group.
func (g *Group) member(pid int) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.seen[pid]
}

// members are all that ever were.
func (g *Group) members() []int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Sorted(maps.Keys(g.seen))
}

// descendants are the process and those below it.
func (g *Group) descendants() []int {
	pids := []int{g.pid}
	for i := 0; i < len(pids); i++ {
		lists, _ := filepath.Glob(proc(pids[i], "task/*/children"))
		for _, list := range lists {
			pids = append(pids, numbers(list)...)
		}
	}
	if _, err := os.Stat(proc(g.pid, "")); err != nil {
		return pids[1:]
	}
	return pids
}

// proc is the path of something that the kernel tells of a process.
func proc(pid int, what string) string { return filepath.Join("/proc", strconv.Itoa(pid), what) }

// numbers reads a file of numbers; none if it can't be read.
func numbers(path string) (all []int) {
	data, _ := os.ReadFile(path)
	for _, field := range strings.Fields(string(data)) {
		if n, err := strconv.Atoi(field); err == nil {
			all = append(all, n)
		}
	}
	return all
}

func containsAll(all, some []int) bool {
	return !slices.ContainsFunc(some, func(pid int) bool { return !slices.Contains(all, pid) })
}
