package proc

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"
)

func TestMain(m *testing.M) {
	if exit, child := Main(os.Args[1:], testParts()); child {
		os.Exit(exit)
	}
	goleak.VerifyTestMain(m)
}

type machine struct {
	CPUs       []int
	GOMAXPROCS int
}

// testParts has a part that answers, and one that starts the other and can
// then be killed.
func testParts() map[string]func() Part {
	answers := map[string]Handler{
		"echo": Handle(func(_ context.Context, s string) (any, error) { return s, nil }),
		"fail": Handle(func(_ context.Context, s string) (any, error) { return nil, errors.New(s) }),
		"burn": Handle(func(_ context.Context, d time.Duration) (any, error) { return nil, burn(d) }),
		"machine": Handle(func(context.Context, struct{}) (any, error) {
			cpus, err := CPUs()
			return machine{cpus, runtime.GOMAXPROCS(0)}, err
		}),
		"start": Handle(func(ctx context.Context, part string) (any, error) {
			child, err := Start(ctx, part, nil)
			if err != nil {
				return nil, err
			}
			return child.cmd.Process.Pid, nil
		}),
		"die": Handle(func(context.Context, struct{}) (any, error) { return nil, unix.Kill(os.Getpid(), unix.SIGKILL) }),
	}
	return map[string]func() Part{"answers": func() Part { return Part{Handlers: answers, Close: func() {}} }}
}

// burn uses d of the calling thread's processor time.
func burn(d time.Duration) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	for {
		var used unix.Timespec
		if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &used); err != nil || used.Nano() > int64(d) {
			return err
		}
	}
}

func startAnswers(t *testing.T, cpus []int) *Child {
	t.Helper()
	child, err := Start(t.Context(), "answers", cpus)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(child.Stop)
	return child
}

func TestAsk(t *testing.T) {
	child := startAnswers(t, nil)
	var got string
	if err := child.Ask("echo", "hello", &got); err != nil || got != "hello" {
		t.Errorf("echo: %q, %v", got, err)
	}
	if err := child.Ask("fail", "out of luck", nil); err == nil || !strings.Contains(err.Error(), "answers: fail: out of luck") {
		t.Errorf("fail: %v", err)
	}
	if err := child.Ask("dance", nil, nil); err == nil || !strings.Contains(err.Error(), `"dance"`) {
		t.Errorf("a request that no part knows: %v", err)
	}
	if err := child.Ask("echo", 7, nil); err == nil {
		t.Error("arguments of another type are taken")
	}
	if err := child.Ask("echo", "again", &got); err != nil || got != "again" {
		t.Errorf("echo after errors: %q, %v", got, err)
	}
	if err := child.Ask("die", struct{}{}, nil); err == nil {
		t.Error("a dead child answers")
	}
}

func TestPinned(t *testing.T) {
	before, err := CPUs()
	if err != nil {
		t.Fatal(err)
	}
	last := before[len(before)-1:]
	var got machine
	if err := startAnswers(t, last).Ask("machine", struct{}{}, &got); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(got.CPUs, last) || got.GOMAXPROCS != 1 {
		t.Errorf("the child has processors %v and GOMAXPROCS %d, want %v and 1", got.CPUs, got.GOMAXPROCS, last)
	}
	if after, err := CPUs(); err != nil || !slices.Equal(after, before) {
		t.Errorf("the parent is left with processors %v, %v, had %v", after, err, before)
	}
}

func TestCPU(t *testing.T) {
	child := startAnswers(t, nil)
	before, err := child.CPU()
	if err != nil {
		t.Fatal(err)
	}
	const burnt = 200 * time.Millisecond
	if err := child.Ask("burn", burnt, nil); err != nil {
		t.Fatal(err)
	}
	after, err := child.CPU()
	if used := after - before; err != nil || used < burnt-2*clockTick || used > 5*burnt {
		t.Errorf("%v was burnt, %v is told, %v", burnt, used, err)
	}
}

// TestRealTime: all threads of the child are so.
func TestRealTime(t *testing.T) {
	child := startAnswers(t, nil)
	granted, err := child.RealTime()
	if err != nil {
		t.Fatal(err)
	}
	if !granted {
		t.Skip("it is root's to give")
	}
	threads, err := filepath.Glob("/proc/" + strconv.Itoa(child.cmd.Process.Pid) + "/task/*")
	if err != nil || len(threads) == 0 {
		t.Fatalf("%v, %v", threads, err)
	}
	for _, thread := range threads {
		tid, _ := strconv.Atoi(filepath.Base(thread))
		if attr, err := unix.SchedGetAttr(tid, 0); err != nil || attr.Policy != unix.SCHED_RR {
			t.Errorf("thread %d: %+v, %v", tid, attr, err)
		}
	}
}

func TestProfile(t *testing.T) {
	child, path := startAnswers(t, nil), filepath.Join(t.TempDir(), "cpu.pprof")
	for _, err := range []error{child.Ask("profile", path, nil), child.Ask("profile-end", nil, nil)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if info, err := os.Stat(path); err != nil || info.Size() == 0 {
		t.Errorf("no profile: %v", err)
	}
}

// TestNoOrphans: a child whose parent is killed ends by itself.
func TestNoOrphans(t *testing.T) {
	parent := startAnswers(t, nil)
	var pid int
	if err := parent.Ask("start", "answers", &pid); err != nil {
		t.Fatal(err)
	}
	handle, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(handle)
	if err := parent.Ask("die", struct{}{}, nil); err == nil {
		t.Fatal("the parent lives")
	}
	ended := []unix.PollFd{{Fd: int32(handle), Events: unix.POLLIN}} // readable when the process is gone: pidfd_open(2)
	n, err := unix.Poll(ended, int((10 * time.Second).Milliseconds()))
	for errors.Is(err, unix.EINTR) { // the runtime's own signals
		n, err = unix.Poll(ended, int((10 * time.Second).Milliseconds()))
	}
	if n != 1 {
		t.Errorf("the child outlives its parent: %v", err)
	}
}

func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	child, err := Start(ctx, "answers", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer child.Stop()
	cancel()
	if err := child.Ask("burn", time.Minute, nil); err == nil {
		t.Error("the child of an ended context answers")
	}
}

func TestNotAChild(t *testing.T) {
	for _, args := range [][]string{nil, {"child"}, {"bulk", "answers"}, {"child", "answers", "more"}} {
		if _, child := Main(args, testParts()); child {
			t.Errorf("%q make a child", args)
		}
	}
	if exit, child := Main([]string{"child", "nobody"}, testParts()); !child || exit == 0 {
		t.Errorf("an unknown part: exit %d, child %v", exit, child)
	}
}
