package tunnel

import (
	"math"
	"os"
	"testing"
	"testing/fstest"
)

// TestCgroupMemory: the texts are those of systemd, of a container and of an old kernel.
func TestCgroupMemory(t *testing.T) {
	const none = math.MaxUint64
	for name, tt := range map[string]struct {
		files map[string]string
		want  uint64
	}{
		"no cgroups": {nil, none},
		"no limit": {map[string]string{
			"proc/self/cgroup": "0::/system.slice/a.service\n",
			"sys/fs/cgroup/system.slice/a.service/memory.max": "max\n",
		}, none},
		"its own": {map[string]string{
			"proc/self/cgroup": "0::/system.slice/a.service\n",
			"sys/fs/cgroup/system.slice/a.service/memory.max": "67108864\n",
			"sys/fs/cgroup/system.slice/memory.max":           "max\n",
		}, 64 << 20},
		"one above": {map[string]string{
			"proc/self/cgroup": "0::/system.slice/a.service\n",
			"sys/fs/cgroup/system.slice/a.service/memory.max": "268435456\n",
			"sys/fs/cgroup/system.slice/memory.max":           "134217728\n",
		}, 128 << 20},
		"a neighbour's": {map[string]string{
			"proc/self/cgroup":                    "0::/a\n",
			"sys/fs/cgroup/a/memory.max":          "max\n",
			"sys/fs/cgroup/b/memory.max":          "67108864\n",
			"sys/fs/cgroup/memory.max/memory.max": "1\n",
		}, none},
		"a container, which is at the top": {map[string]string{
			"proc/self/cgroup":         "0::/\n",
			"sys/fs/cgroup/memory.max": "536870912\n",
		}, 512 << 20},
		"a container that sees its outer name": {map[string]string{
			"proc/self/cgroup":         "0::/../../pod\n",
			"sys/fs/cgroup/memory.max": "536870912\n",
		}, 512 << 20},
		"version 1": {map[string]string{
			"proc/self/cgroup": "12:cpu,cpuacct:/a\n9:memory:/docker/a\n1:name=systemd:/a\n0::/a\n",
			"sys/fs/cgroup/memory/docker/a/memory.limit_in_bytes": "33554432\n",
			"sys/fs/cgroup/memory/memory.limit_in_bytes":          "9223372036854771712\n",
		}, 32 << 20},
		"something else": {map[string]string{
			"proc/self/cgroup":         "nonsense\n0::/\n",
			"sys/fs/cgroup/memory.max": "12 apples\n",
		}, none},
	} {
		root := fstest.MapFS{}
		for file, text := range tt.files {
			root[file] = &fstest.MapFile{Data: []byte(text)}
		}
		if got := cgroupMemory(root); got != tt.want {
			t.Errorf("%s: %d, want %d", name, got, tt.want)
		}
	}
	if got, all := machineMemory(), cgroupMemory(os.DirFS("/")); got == 0 || got > all {
		t.Errorf("this machine: %d, its cgroup: %d", got, all)
	}
}
