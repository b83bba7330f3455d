package udpio

import (
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Limits of one UDP_SEGMENT send.
const (
	maxGSOSegments = 64    // UDP_MAX_SEGMENTS before Linux 6.9, 128 since
	maxGSOBytes    = 65507 // largest UDP payload over IPv4; IPv6 takes 20 more
)

// gsoPause is how long offload stays off after a device refused it. Long enough
// that the refusals cost nothing, short enough to recover when the route moves
// to another device.
const gsoPause = 10 * time.Second

// gsoSwitch says whether to send with segmentation offload now. It is safe for
// use by several goroutines and takes no lock.
type gsoSwitch struct {
	found  bool      // static
	opened time.Time // static, for a monotonic clock

	pausedUntil atomic.Int64 // nanoseconds since opened; zero is not paused
}

func (g *gsoSwitch) init(found bool) { g.found, g.opened = found, time.Now() }

func (g *gsoSwitch) on() bool {
	until := g.pausedUntil.Load()
	if until == 0 {
		return g.found
	}
	if time.Since(g.opened) < time.Duration(until) {
		return false
	}
	g.pausedUntil.CompareAndSwap(until, 0) // unless it was paused again just now
	return g.found
}

func (g *gsoSwitch) pause() {
	g.pausedUntil.Store(int64(time.Since(g.opened) + gsoPause))
}

// refusesSegments reports whether errno may mean that the same bytes would go
// out as single datagrams.
func refusesSegments(errno syscall.Errno) bool {
	return errno == unix.EMSGSIZE || errno == unix.EINVAL || deviceRefuses(errno)
}

// deviceRefuses reports whether errno means that the device cannot do it for
// any destination. The other errors belong to one path.
func deviceRefuses(errno syscall.Errno) bool {
	return errno == unix.EIO || errno == unix.EOPNOTSUPP
}
