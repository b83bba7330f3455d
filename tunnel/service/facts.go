package service

import (
	"bytes"
	"cmp"
	"io"
	"math"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

const (
	maxFactFile   = 16 << 10 // bytes; the longest, /proc/meminfo, has about 1.5 KiB
	maxInterfaces = 256
)

// modelFiles are the places that name the machine, the best name first.
var modelFiles = [...]string{
	"/tmp/sysinfo/model",             // OpenWrt
	"/proc/device-tree/model",        // boards with a device tree
	"/sys/class/dmi/id/product_name", // PCs
}

// root is the folder in which a router's files are looked up. Empty means "/".
type root string

// read returns the first limit bytes of a regular file, and whether there are more. Of another kind of file it
// returns nothing: opening a pipe could block.
func (r root) read(name string, limit int) (content []byte, more, ok bool) {
	name = filepath.Join(cmp.Or(string(r), "/"), name)
	if info, err := os.Stat(name); err != nil || !info.Mode().IsRegular() {
		return nil, false, false
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, false, false
	}
	defer f.Close()
	content, err = io.ReadAll(io.LimitReader(f, int64(limit)+1))
	if len(content) > limit {
		return content[:limit], true, true
	}
	return content, false, err == nil
}

// line returns the text of a file that holds one line, or "". Device trees end theirs with a NUL.
func (r root) line(name string) string {
	content, _, _ := r.read(name, maxFactFile)
	content, _, _ = bytes.Cut(content, []byte{'\n'})
	return strings.ToValidUTF8(strings.TrimSpace(strings.Trim(string(content), "\x00")), "")
}

func (r root) model() string {
	for _, name := range modelFiles {
		if model := r.line(name); model != "" {
			return model
		}
	}
	return ""
}

// uptime is the first number of /proc/uptime (proc_uptime(5)), in seconds.
func (r root) uptime() int64 {
	if numbers := r.numbers("/proc/uptime", 1); numbers != nil && numbers[0] < math.MaxInt32 {
		return int64(numbers[0])
	}
	return 0
}

// load is the first three numbers of /proc/loadavg (proc_loadavg(5)).
func (r root) load() []float64 { return r.numbers("/proc/loadavg", 3) }

// numbers returns the first n fields of a file, or nil if they are not n finite numbers of at least 0.
func (r root) numbers(name string, n int) []float64 {
	fields := strings.Fields(r.line(name))
	if len(fields) < n {
		return nil
	}
	numbers := make([]float64, n)
	for i := range numbers {
		v, err := strconv.ParseFloat(fields[i], 64)
		if err != nil || !(v >= 0 && v <= math.MaxFloat64) { // JSON has no NaN and no infinity
			return nil
		}
		numbers[i] = v
	}
	return numbers
}

// memory reads /proc/meminfo (proc_meminfo(5)), whose lines look like "MemTotal:  123456 kB".
func (r root) memory() (m Memory) {
	content, _, _ := r.read("/proc/meminfo", maxFactFile)
	for line := range strings.Lines(string(content)) {
		fields := strings.Fields(line)
		if len(fields) != 3 || fields[2] != "kB" {
			continue
		}
		kib, err := strconv.ParseInt(fields[1], 10, 53) // 53 bits: times 1024 it still fits
		if err != nil || kib < 0 {
			continue
		}
		switch fields[0] {
		case "MemTotal:":
			m.Total = kib << 10
		case "MemAvailable:":
			m.Available = kib << 10
		}
	}
	return m
}

// interfaces returns the interfaces that are up and have an address, without loopback.
func interfaces() (found []Interface) {
	all, _ := net.Interfaces()
	for _, i := range all {
		if i.Flags&net.FlagUp == 0 || i.Flags&net.FlagLoopback != 0 || len(found) == maxInterfaces {
			continue
		}
		addrs, err := i.Addrs()
		if err != nil || len(addrs) == 0 {
			continue
		}
		entry := Interface{Name: i.Name}
		for _, a := range addrs {
			entry.Addresses = append(entry.Addresses, a.String())
		}
		found = append(found, entry)
	}
	return found
}
