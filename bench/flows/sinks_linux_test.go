package flows

import (
	"runtime"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// BenchmarkSinks is what sending to a thousand endpoints costs the sender, who
// does the kernel's delivering too: if they share a socket, as a Port's do, and if
// each has one of its own. The difference is what relays are spared by Ports, all
// of them alike.
func BenchmarkSinks(b *testing.B) {
	const endpoints = 1024
	for _, own := range []bool{false, true} {
		b.Run(map[bool]string{false: "shared", true: "own"}[own], func(b *testing.B) {
			runtime.LockOSThread() // whose time is measured
			defer runtime.UnlockOSThread()
			source, sink := open(b), open(b)
			sockets := make([]syscall.RawConn, 0, endpoints)
			for i := range endpoints {
				if !own {
					break
				}
				c, err := sink.Borrow(i)
				if err != nil {
					b.Fatal(err)
				}
				defer c.Close()
				raw, err := c.(syscall.Conn).SyscallConn()
				if err != nil {
					b.Fatal(err)
				}
				sockets = append(sockets, raw)
			}
			out, in, buf := newOutbox(loadBatch, PayloadSize), newInbox(loadBatch), make([]byte, PayloadSize)
			var routes []*route
			for i := range endpoints {
				routes = append(routes, newRoute(i, sink.Addr(i)))
			}
			used := int64(0)
			for n := 0; n < b.N; n += loadBatch {
				for i := range loadBatch {
					out.put(i, routes[(n+i)%endpoints])
				}
				before := threadTime(b)
				if err := out.send(source, loadBatch); err != nil {
					b.Fatal(err)
				}
				used += threadTime(b) - before
				for i := range loadBatch {
					if own {
						sockets[(n+i)%endpoints].Control(func(fd uintptr) { unix.Read(int(fd), buf) })
					}
				}
				for got := 1; !own && got > 0; {
					got, _ = in.receive(sink)
					for i := range got {
						in.rearm(i)
					}
				}
			}
			b.ReportMetric(float64(used)/float64(b.N), "ns-to-send")
		})
	}
}

func threadTime(b *testing.B) int64 {
	var used unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &used); err != nil {
		b.Fatal(err)
	}
	return used.Nano()
}
