package observe

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/prometheus/procfs"
)

// cgroup is the directory of one.
type cgroup string

// The controllers of version 1 that are of use. Memory is left where it is: swap is
// told by process.
const (
	controllerBlkio = "blkio"
	controllerPids  = "pids"
	unified         = "" // version 2 has one hierarchy for all
)

// cgroupsOf finds where a process is, in each hierarchy that is of use and mounted.
func cgroupsOf(pid int) map[string]cgroup {
	found := make(map[string]cgroup)
	p, err := procfs.NewProc(pid)
	if err != nil {
		return found
	}
	places, _ := p.Cgroups()
	mounts, _ := procfs.GetMounts()
	for _, place := range places {
		for _, m := range mounts {
			controller, ok := hierarchy(place, m)
			if !ok || m.Root != "/" {
				continue
			}
			dir := filepath.Join(m.MountPoint, place.Path)
			if info, err := os.Stat(dir); err == nil && info.IsDir() {
				found[controller] = cgroup(dir)
			}
		}
	}
	return found
}

// hierarchy says by which name a mount is known here, if it is the hierarchy of a place.
func hierarchy(place procfs.Cgroup, m *procfs.MountInfo) (controller string, ok bool) {
	if place.HierarchyID == 0 {
		return unified, m.FSType == "cgroup2"
	}
	for _, c := range place.Controllers {
		_, mounted := m.SuperOptions[c]
		if m.FSType == "cgroup" && mounted && (c == controllerBlkio || c == controllerPids) {
			return c, true
		}
	}
	return "", false
}

func (c cgroup) file(name string) string { return filepath.Join(string(c), name) }

func (c cgroup) members() ([]int, error) {
	if _, err := os.Stat(c.file("cgroup.procs")); err != nil {
		return nil, err
	}
	return numbers(c.file("cgroup.procs")), nil
}

// child makes a cgroup below c and moves processes into it.
func (c cgroup) child(name string, pids []int) (cgroup, error) {
	child := cgroup(c.file(name))
	if err := os.Mkdir(string(child), 0o755); err != nil && !errors.Is(err, os.ErrExist) { // an audit that was killed has left it
		return "", err
	}
	for _, pid := range pids {
		if err := child.take(pid); err != nil {
			return "", errors.Join(err, child.remove())
		}
	}
	return child, nil
}

func (c cgroup) take(pid int) error {
	return os.WriteFile(c.file("cgroup.procs"), []byte(strconv.Itoa(pid)), 0)
}

// remove moves members to the cgroup above and removes c.
func (c cgroup) remove() error {
	parent := cgroup(filepath.Dir(string(c)))
	members, _ := c.members()
	for _, pid := range members {
		if err := parent.take(pid); err != nil {
			if _, gone := os.Stat(proc(pid, "")); gone == nil {
				return fmt.Errorf("move process %d out of %s: %w", pid, c, err)
			}
		}
	}
	return os.Remove(string(c))
}

// written is how many bytes the block layer has written for the cgroup. ok is false
// if it does not say.
func (c cgroup) written(controller string) (bytes uint64, ok bool) {
	if controller == unified {
		data, err := os.ReadFile(c.file("io.stat"))
		return sumOf(data, "wbytes="), err == nil
	}
	data, err := os.ReadFile(c.file("blkio.throttle.io_service_bytes_recursive"))
	return sumOf(data, "Write "), err == nil
}

// sumOf adds the numbers that follow a word.
func sumOf(data []byte, word string) (sum uint64) {
	for {
		_, after, ok := bytes.Cut(data, []byte(word))
		if !ok {
			return sum
		}
		data = after
		if n, err := strconv.ParseUint(firstWord(after), 10, 64); err == nil {
			sum += n
		}
	}
}

func firstWord(b []byte) string {
	if fields := strings.Fields(string(b)); len(fields) > 0 {
		return fields[0]
	}
	return ""
}
