package tunnel

import (
	"bufio"
	"io/fs"
	"math"
	"os"
	"path"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// machineMemory is the memory that this program may have, in bytes: the least of
// the machine's and of its cgroups' limits.
func machineMemory() uint64 {
	memory := uint64(unknownMemory)
	var info unix.Sysinfo_t
	if unix.Sysinfo(&info) == nil {
		memory = uint64(info.Totalram) * uint64(info.Unit)
	}
	return min(memory, cgroupMemory(os.DirFS("/")))
}

const cgroups = "sys/fs/cgroup"

// cgroupMemory is the least limit of the cgroup that this program is in and of all
// above it. A container that sees only its own has it at the top. Where there is
// none, or it can't be read, it is the highest number.
func cgroupMemory(root fs.FS) uint64 {
	least := uint64(math.MaxUint64)
	list, err := root.Open("proc/self/cgroup")
	if err != nil {
		return least
	}
	defer list.Close()
	for lines := bufio.NewScanner(list); lines.Scan(); {
		// 0::/a/b is version 2, 9:memory:/a/b version 1.
		parts := strings.SplitN(lines.Text(), ":", 3)
		switch {
		case len(parts) != 3:
		case parts[0] == "0" && parts[1] == "":
			least = min(least, limitAbove(root, cgroups, parts[2], "memory.max"))
		case parts[1] == "memory":
			least = min(least, limitAbove(root, cgroups+"/memory", parts[2], "memory.limit_in_bytes"))
		}
	}
	return least
}

// limitAbove is the least number in the file of that name in the group's folder and all above it.
func limitAbove(root fs.FS, top, group, name string) uint64 {
	least := uint64(math.MaxUint64)
	for {
		group = path.Clean("/" + group)
		if text, err := fs.ReadFile(root, path.Join(top, group, name)); err == nil {
			if limit, err := strconv.ParseUint(strings.TrimSpace(string(text)), 10, 64); err == nil { // or it says "max"
				least = min(least, limit)
			}
		}
		if group == "/" {
			return least
		}
		group = path.Dir(group)
	}
}
