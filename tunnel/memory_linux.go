package tunnel

import "golang.org/x/sys/unix"

// machineMemory is the memory of this machine in bytes.
func machineMemory() uint64 {
	var info unix.Sysinfo_t
	if unix.Sysinfo(&info) != nil {
		return unknownMemory
	}
	return uint64(info.Totalram) * uint64(info.Unit)
}
