package lockdown

import (
	"bufio"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/elastic/go-seccomp-bpf"
	"golang.org/x/sys/unix"
)

// orderVariable makes the test binary a child that does what the variable's value, an order, says.
const orderVariable = "LETHE_LOCKDOWN_TEST"

// An order is what a child is to do. It answers with one line of JSON on stdout.
type order struct {
	Do      string // serve, attempts, environment
	Mode    Mode
	Needs   Needs
	Without []string            // controls whose step is left out
	Outer   map[string][]string // errno name -> calls that a filter around the lockdown refuses with it
	Unfit   bool                // don't call Environment
	Dir     string              // may be written to before the lockdown

	LockAnyway bool // lock all memory, which works as long as CAP_IPC_LOCK is kept
}

// A greeting is what a serving child says when it is ready.
type greeting struct {
	Err      string
	Warnings []string
	QUIC     string
	HTTP     string
	Unix     string
	EnterMS  float64
	Controls []Control
}

func TestMain(m *testing.M) {
	text, child := os.LookupEnv(orderVariable)
	if !child {
		os.Exit(m.Run())
	}
	var o order
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(3)
	}
	os.Exit(o.run())
}

func (o order) run() int {
	var warnings []string
	if !o.Unfit {
		warn := func(sentence string) {
			fmt.Fprintln(os.Stderr, sentence) // the next process does not know of it
			warnings = append(warnings, sentence)
		}
		if err := Environment(o.Mode, warn); err != nil {
			return say(greeting{Err: err.Error()})
		}
	}
	switch o.Do {
	case "attempts":
		return say(o.attempts())
	case "environment":
		return say(seen(warnings))
	}
	return o.serve(warnings)
}

func say(answer any) int {
	if err := json.NewEncoder(os.Stdout).Encode(answer); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 3
	}
	return 0
}

// serve is a small relay: it has QUIC, HTTP over TCP and over a unix socket, threads from before and after the
// lockdown, and ends when stdin does.
func (o order) serve(warnings []string) int {
	if err := o.putOuter(); err != nil {
		return say(greeting{Err: "outer filter: " + err.Error()})
	}
	release := make(chan struct{})
	startThreads(4, release)
	prey, err := newPrey(o.Dir)
	if err != nil {
		return say(greeting{Err: err.Error()})
	}
	sockets, err := listen(o.Dir)
	if err != nil {
		return say(greeting{Err: err.Error()})
	}
	steps := slices.DeleteFunc(steps(), func(s step) bool { return slices.Contains(o.Without, s.control) })
	if o.LockAnyway {
		steps[slices.IndexFunc(steps, func(s step) bool { return s.control == MemoryLocked })].put = func(*Lockdown) error {
			return unix.Mlockall(unix.MCL_CURRENT | unix.MCL_FUTURE | unix.MCL_ONFAULT)
		}
	}
	start := time.Now()
	l, err := o.enter(steps)
	took := time.Since(start)
	if err != nil {
		say(greeting{Err: err.Error()})
		return 1
	}
	startThreads(4, release)
	sockets.serve(l, prey)
	say(greeting{Warnings: warnings, QUIC: sockets.udp.LocalAddr().String(), HTTP: sockets.tcp.Addr().String(),
		Unix: sockets.unix.Addr().String(), EnterMS: float64(took.Microseconds()) / 1000, Controls: l.Verify()})
	io.Copy(io.Discard, os.Stdin)
	return 0
}

// enter is Enter, unless steps are left out.
func (o order) enter(some []step) (*Lockdown, error) {
	if len(o.Without) == 0 {
		return Enter(o.Mode, o.Needs)
	}
	return enter(o.Mode, o.Needs, some)
}

// startThreads keeps n threads of the process busy waiting, each with a goroutine of its own.
func startThreads(n int, release <-chan struct{}) {
	ready := make(chan struct{})
	for range n {
		go func() {
			runtime.LockOSThread()
			ready <- struct{}{}
			<-release
		}()
		<-ready
	}
}

// putOuter refuses calls as a container or an old kernel would.
func (o order) putOuter() error {
	errnos := map[string]unix.Errno{"ENOSYS": unix.ENOSYS, "EOPNOTSUPP": unix.EOPNOTSUPP, "EPERM": unix.EPERM, "EACCES": unix.EACCES}
	policy := seccomp.Policy{DefaultAction: seccomp.ActionAllow}
	for name, calls := range o.Outer {
		errno, known := errnos[name]
		if !known {
			return fmt.Errorf("unknown errno %q", name)
		}
		policy.Syscalls = append(policy.Syscalls, seccomp.SyscallGroup{Names: calls, Action: seccomp.ActionErrno | seccomp.Action(errno)})
	}
	if len(o.Outer) == 0 {
		return nil
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	return seccomp.LoadFilter(seccomp.Filter{NoNewPrivs: true, Flag: seccomp.FilterFlagTSync, Policy: policy})
}

// attempts makes every attempt of the self-test in a process that is not locked down.
func (o order) attempts() map[string]string {
	f, err := newFixture()
	if err != nil {
		return map[string]string{"fixture": err.Error()}
	}
	if err := f.chooseProbe(o.Needs); err != nil {
		return map[string]string{"probe": err.Error()}
	}
	results := make(map[string]string)
	all := slices.Concat(bySeccomp(), bySeccompOffline(), atEntry(portsABI),
		[]attempt{{"write to a file opened before", nil, write}, {"drop a page", nil, dropPage}})
	for _, a := range all {
		results[a.name] = "worked"
		if err := a.try(f); err != nil {
			results[a.name] = err.Error()
		}
	}
	return results
}

// surroundings are what Environment has left of a process's.
type surroundings struct {
	PID         int
	Args        []string
	Name        string // of the process
	Traceback   string
	Debug       string
	Descriptors []string // what the ones from 3 up are, as far as they were handed down
	Warnings    []string
	Keys        bool // SSLKEYLOGFILE is set
}

func seen(warnings []string) surroundings {
	s := surroundings{PID: os.Getpid(), Args: os.Args, Traceback: os.Getenv(traceback), Debug: os.Getenv(godebug), Warnings: warnings, Keys: os.Getenv("SSLKEYLOGFILE") != ""}
	comm, _ := os.ReadFile("/proc/self/comm")
	s.Name = strings.TrimSpace(string(comm))
	for fd := 3; fd < 64; fd++ {
		if flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err == nil && flags&unix.FD_CLOEXEC == 0 {
			target, _ := os.Readlink(fmt.Sprintf("/proc/self/fd/%d", fd))
			s.Descriptors = append(s.Descriptors, target)
		}
	}
	return s
}

// A trio of sockets is what a relay has: data, and the operator's view.
type trio struct {
	udp  *net.UDPConn
	tcp  net.Listener
	unix net.Listener
	quic func() error
}

func listen(dir string) (*trio, error) {
	var s trio
	var err error
	if s.udp, err = net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)}); err != nil {
		return nil, err
	}
	if s.tcp, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		return nil, err
	}
	if s.unix, err = net.Listen("unix", filepath.Join(dir, "admin.sock")); err != nil {
		return nil, err
	}
	s.quic, err = echoServer(s.udp)
	return &s, err
}

func (s *trio) serve(l *Lockdown, p *prey) {
	mux := http.NewServeMux()
	mux.HandleFunc("/metrics", func(w http.ResponseWriter, _ *http.Request) {
		b := bufio.NewWriter(w)
		defer b.Flush()
		for i := range 2000 {
			fmt.Fprintf(b, "metric{n=\"%d\"} %d\n", i, i)
		}
	})
	mux.HandleFunc("/verify", func(w http.ResponseWriter, _ *http.Request) { json.NewEncoder(w).Encode(l.Verify()) })
	mux.HandleFunc("/alone", func(w http.ResponseWriter, _ *http.Request) { json.NewEncoder(w).Encode(p.attack()) })
	mux.HandleFunc("/file", func(w http.ResponseWriter, r *http.Request) {
		data, err := os.ReadFile(r.FormValue("name"))
		fmt.Fprintf(w, "%s %v", data, err)
	})
	mux.HandleFunc("/dial", func(w http.ResponseWriter, r *http.Request) {
		c, err := net.DialTimeout("tcp", r.FormValue("address"), 5*time.Second)
		if err == nil {
			c.Close()
		}
		fmt.Fprint(w, err)
	})
	mux.HandleFunc("/collect", func(w http.ResponseWriter, _ *http.Request) {
		rand.Read(make([]byte, 8<<20))
		debug.FreeOSMemory()
		fmt.Fprint(w, "done")
	})
	mux.HandleFunc("/panic", func(http.ResponseWriter, *http.Request) { go panic("on purpose") })
	go http.Serve(s.tcp, mux)
	go http.Serve(s.unix, mux)
	go s.quic()
}
