//go:build !linux

package tunnel

// machineMemory is not asked for. What counts on phones is what the system lets
// one program have, which is less and not told; an app says it with GOMEMLIMIT.
func machineMemory() uint64 { return unknownMemory }
