package hostcheck

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// swapAreas are what memory may be swapped to: devices and files.
func (e *examination) swapAreas() ([]string, error) {
	text, err := e.readIn("proc", "swaps")
	if err != nil {
		return nil, err
	}
	var areas []string
	for i, line := range strings.Split(text, "\n") {
		if fields := strings.Fields(line); i > 0 && len(fields) > 0 { // the first line is a header
			areas = append(areas, fields[0])
		}
	}
	return areas, nil
}

func swap(e *examination) (found []Finding, _ error) {
	areas, err := e.swapAreas()
	if err != nil {
		return nil, err
	}
	for _, area := range areas {
		found = append(found, e.swapTo(area))
	}
	return found, nil
}

func (e *examination) swapTo(area string) Finding {
	const mend = "swapoff -a, and take it out of /etc/fstab; or start the relay with memory.swap.max=0, as deploy/systemd does"
	name := path.Base(area)
	switch {
	case len(e.processes) > 0 && !slices.ContainsFunc(e.processes, func(p process) bool { return !e.mayNotSwap(p) }):
		return Finding{Level: Advice, What: "swap is on (" + area + "), but closed to the relay by its cgroup's memory.swap.max=0", Mend: "swapoff -a, if nothing else needs it"}
	case strings.HasPrefix(name, "zram"):
		return Finding{Level: Advice, What: "swap is on, in memory (" + area + "): it holds copies that no wiping reaches", Mend: mend}
	case e.isEncrypted(name):
		return Finding{Level: Advice, What: "swap is on, encrypted (" + area + "): what is swapped out stays there as long as its key lives", Mend: mend}
	}
	return Finding{Level: Bad, What: "swap is on and not seen to be encrypted (" + area + "): memory that is not locked can end up on a disk", Mend: mend}
}

// isEncrypted tells whether a block device is dm-crypt's.
func (e *examination) isEncrypted(device string) bool {
	uuid, err := e.read("sys/block/" + device + "/dm/uuid")
	return err == nil && strings.HasPrefix(uuid, "CRYPT-")
}

// mayNotSwap tells whether a process's cgroup, or one above it, bars it from swap.
func (e *examination) mayNotSwap(p process) bool {
	text, err := e.read(p.dir + "/cgroup")
	if err != nil {
		return false
	}
	for line := range strings.Lines(text) {
		group, unified := strings.CutPrefix(strings.TrimSpace(line), "0::/")
		for ; unified && group != "." && group != ""; group = path.Dir(group) {
			if limit, err := e.read(path.Join("sys/fs/cgroup", group, "memory.swap.max")); err == nil && limit == "0" {
				return true
			}
		}
	}
	return false
}

// zswap is a compressed copy in front of swap: without swap it takes nothing.
func zswap(e *examination) ([]Finding, error) {
	areas, err := e.swapAreas()
	if err != nil || len(areas) == 0 {
		return nil, err
	}
	enabled, err := e.readIn("sys/module", "zswap/parameters/enabled")
	if err != nil || enabled != "Y" {
		return nil, err
	}
	return one(Advice, "zswap is on: it holds compressed copies of memory that no wiping reaches",
		"echo N > /sys/module/zswap/parameters/enabled, and zswap.enabled=0 on the kernel's command line"), nil
}

// hibernation writes all memory to a disk, locked or not.
func hibernation(e *examination) ([]Finding, error) {
	states, err := e.readIn("sys", "power/state")
	if err != nil || !slices.Contains(strings.Fields(states), "disk") {
		return nil, err
	}
	areas, err := e.swapAreas()
	if err != nil {
		return nil, err
	}
	device, resumes, err := e.booted("resume")
	if err != nil {
		return nil, err
	}
	if len(areas) == 0 && !resumes { // there is nowhere to write to
		return nil, nil
	}
	what := "this machine can hibernate: that writes all memory, locked memory too, to a disk"
	if resumes {
		what += fmt.Sprintf(" (resume=%s)", device)
	}
	return one(Bad, what, "put nohibernate on the kernel's command line, and take resume= off it"), nil
}

// pageMerging lets other programs find out by timing what is in a page.
func pageMerging(e *examination) ([]Finding, error) {
	run, err := e.readIn("sys/kernel/mm", "ksm/run")
	if err != nil || run != "1" {
		return nil, err
	}
	return one(Advice, "the kernel merges equal pages (KSM): who can write a page can find out by timing whether it exists elsewhere",
		"echo 2 > /sys/kernel/mm/ksm/run, and switch ksmd off"), nil
}
