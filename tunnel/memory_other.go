//go:build !linux

package tunnel

// machineMemory is not asked for. What counts on phones is what the system lets
// one program have, which is less and not told.
func machineMemory() uint64 { return unknownMemory }
