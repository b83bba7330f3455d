package forward

import (
	"encoding/binary"
	"net/netip"
	"os"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lethe-relay/lethe/internal/udpio"
)

const (
	quietLegs  = 100
	quietPause = 500 * time.Microsecond // each quiet leg sends every 50 ms
	measured   = 2 * time.Second        // that a measurement takes
)

// BenchmarkQuietBesideGreedy is a loop on a processor of its own, with 100 quiet
// sessions and one that sends as fast as another processor can: how many of the quiet
// datagrams are lost, and how long they take. The loop of "none" has no share.
//
//	go test ./relay/forward -run '^$' -bench QuietBesideGreedy -benchtime 1x
func BenchmarkQuietBesideGreedy(b *testing.B) {
	if runtime.NumCPU() < 2 {
		b.Skip("takes two processors")
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(8)) // threads that wait in the kernel keep no others from running
	for _, greedy := range []struct {
		name              string
		messages, n, size int
	}{
		{"warming up", 0, 0, 0}, // the runtime polls the network only each 10 ms at first
		{"nobody", 0, 0, 0},
		{"runs of 64 KiB", 1, 53 * 1200, 1200},
		{"single datagrams", 16, 1200, 1200},
	} {
		for _, fair := range []string{"share", "none"} {
			b.Run(greedy.name+"/"+fair, func(b *testing.B) {
				q := newQuiet(b, fair == "share")
				if greedy.messages > 0 {
					q.flood(b, greedy.messages, greedy.n, greedy.size)
				}
				for range b.N {
					q.measure(b)
				}
			})
		}
	}
}

// quiet is a plane whose only loop runs on the last processor; all else is on the first.
type quiet struct {
	bench
	from, to []int // the quiet legs' sockets
	stopped  atomic.Bool
	threads  sync.WaitGroup
}

func newQuiet(b *testing.B, fair bool) *quiet {
	q := &quiet{bench: newBench(b)}
	b.Cleanup(func() {
		q.stopped.Store(true)
		q.threads.Wait()
	})
	if !fair {
		q.l.share.patience = time.Hour
	}
	for range quietLegs {
		s, err := q.NewSession(Hooks{})
		if err != nil {
			b.Fatal(err)
		}
		from, at := rawSocket(b)
		q.bind(s.Device, at)
		to, at := rawSocket(b)
		q.bind(s.Router, at)
		q.from, q.to = append(q.from, from), append(q.to, to)
	}
	pinAll(b, runtime.NumCPU()-1)
	q.threads.Go(func() { q.l.run() }) // on a thread that the runtime has for it, which polls the network
	b.Cleanup(q.closeSockets)
	return q
}

// pinAll pins the threads of the process, and those that they will start, to a
// processor until b ends.
func pinAll(b *testing.B, cpu int) {
	b.Helper()
	move := func(set *unix.CPUSet) {
		tasks, err := os.ReadDir("/proc/self/task")
		if err != nil {
			b.Skip(err)
		}
		for _, task := range tasks {
			id, _ := strconv.Atoi(task.Name())
			unix.SchedSetaffinity(id, set)
		}
	}
	var before, one unix.CPUSet
	unix.SchedGetaffinity(0, &before)
	one.Set(cpu)
	move(&one)
	b.Cleanup(func() { move(&before) })
}

// thread runs f on a thread of its own, on that processor, with that priority.
func (q *quiet) thread(cpu, nice int, f func()) {
	q.threads.Go(func() {
		runtime.LockOSThread() // for good: the thread ends with f
		var set unix.CPUSet
		set.Set(cpu)
		unix.SchedSetaffinity(0, &set)
		unix.Setpriority(unix.PRIO_PROCESS, unix.Gettid(), nice)
		f()
	})
}

// flood has the session of the bench send without end to a socket that nobody reads.
func (q *quiet) flood(b *testing.B, messages, n, size int) {
	device, err := udpio.Listen(netip.MustParseAddrPort("127.0.0.1:0"), udpio.Config{BufferBytes: 8 << 20})
	if err != nil {
		b.Fatal(err)
	}
	_, router := rawSocket(b)
	q.bind(q.s.Device, udpio.AddrFrom(device.LocalAddr()))
	q.bind(q.s.Router, router)
	out := udpio.NewBatch(messages)
	for i := range out {
		out[i].N, out[i].SegSize = copy(out[i].Buf, payload(n+i, size+i)), size+i // no two alike: nothing is joined
		out[i].Path.Remote = udpio.AddrFrom(q.LocalAddr())
	}
	w := device.NewWriter(messages)
	q.thread(0, 0, func() {
		defer device.Close()
		for !q.stopped.Load() {
			w.WriteBatch(out)
		}
	})
}

// measure sends from each quiet leg in turn.
func (q *quiet) measure(b *testing.B) {
	relay := &unix.SockaddrInet4{Port: int(q.LocalAddr().Port()), Addr: q.LocalAddr().Addr().As4()}
	before := q.Stats()
	start := time.Now()
	var took []time.Duration
	var sent int
	var over atomic.Bool
	var wg sync.WaitGroup
	wg.Add(2)
	q.thread(0, -20, func() {
		defer wg.Done()
		datagram := payload(200, 200)
		for ; time.Since(start) < measured; sent++ {
			binary.BigEndian.PutUint64(datagram[1:], uint64(time.Since(start)))
			unix.Sendto(q.from[sent%quietLegs], datagram, 0, relay)
			pause := unix.NsecToTimespec(int64(quietPause))
			unix.Nanosleep(&pause, nil)
		}
		pause := unix.NsecToTimespec(int64(100 * time.Millisecond))
		unix.Nanosleep(&pause, nil)
		over.Store(true)
	})
	q.thread(0, -20, func() {
		defer wg.Done()
		polls := make([]unix.PollFd, quietLegs)
		for i := range polls {
			polls[i] = unix.PollFd{Fd: int32(q.to[i]), Events: unix.POLLIN}
		}
		datagram := make([]byte, 2000)
		for !over.Load() {
			unix.Poll(polls, 50)
			for i := range polls {
				if polls[i].Revents == 0 {
					continue
				}
				if n, _ := unix.Read(q.to[i], datagram); n == 200 {
					took = append(took, time.Since(start)-time.Duration(binary.BigEndian.Uint64(datagram[1:])))
				}
			}
		}
	})
	wg.Wait()
	slices.Sort(took)
	after := q.Stats()
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(100*float64(sent-len(took))/float64(sent), "quiet-lost-%")
	for _, p := range []int{500, 990, 999} {
		if len(took) > 0 {
			b.ReportMetric(float64(took[len(took)*p/1000].Microseconds()), map[int]string{500: "p50-µs", 990: "p99-µs", 999: "p999-µs"}[p])
		}
	}
	b.ReportMetric(float64(after.Bytes-before.Bytes)*8/1e9/time.Since(start).Seconds(), "Gbit/s")
	b.ReportMetric(float64(after.Dropped[DropOverShare]-before.Dropped[DropOverShare])/float64(after.Datagrams-before.Datagrams+1), "dropped/carried")
}

// rawSocket is a socket that the runtime knows nothing of.
func rawSocket(b *testing.B) (fd int, at udpio.Addr) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { unix.Close(fd) })
	if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		b.Fatal(err)
	}
	name, err := unix.Getsockname(fd)
	if err != nil {
		b.Fatal(err)
	}
	return fd, loopback(uint16(name.(*unix.SockaddrInet4).Port))
}
