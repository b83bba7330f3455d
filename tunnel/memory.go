package tunnel

import "runtime/debug"

// ownMemory is what an endpoint reckons with, in bytes: the machine's memory or
// what this program may have of it, if that is less, as its cgroup or GOMEMLIMIT
// says.
func ownMemory() uint64 {
	return min(machineMemory(), uint64(max(debug.SetMemoryLimit(-1), 0))) // a negative number changes nothing
}
