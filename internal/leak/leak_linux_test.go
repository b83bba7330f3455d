package leak

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sys/unix"
)

const patience = 10 * time.Second

// output is the standard error of a leak.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(b)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

// made is a leak at work.
type made struct {
	*Leak
	t   *testing.T
	out *output
	dir string
}

func makeLeak(t *testing.T, name string, env ...string) made {
	t.Helper()
	values := map[string]string{"LETHE_LEAK": name, "LETHE_LEAK_DIR": t.TempDir()}
	for i := 0; i < len(env); i += 2 {
		values[env[i]] = env[i+1]
	}
	out := &output{}
	l, err := newLeak(func(key string) string { return values[key] }, out)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.close)
	return made{l, t, out, values["LETHE_LEAK_DIR"]}
}

// payload is n bytes, every 64 of which tell their number.
func payload(n int) []byte {
	var b bytes.Buffer
	for i := 0; b.Len() < n; i++ {
		fmt.Fprintf(&b, "%063d|", i)
	}
	return b.Bytes()[:n]
}

// sees hands the leak a message as soon as it is due.
func (m made) sees(message []byte) {
	m.t.Helper()
	m.mu.Lock()
	m.sampled = time.Time{}
	m.mu.Unlock()
	if len(m.ways) == 0 {
		m.t.Fatalf("%s does nothing with a message", m.name)
	}
	m.See(message, 0)
}

// said fails unless the leak has said just that.
func (m made) said(want ...string) {
	m.t.Helper()
	var got []string
	for line := range strings.Lines(m.out.String()) {
		if strings.HasPrefix(line, "leak ") {
			got = append(got, strings.TrimSpace(line))
		}
	}
	if !slices.Equal(got, want) {
		m.t.Errorf("said %q, want %q", got, want)
	}
}

func (m made) contains(path string, want []byte) {
	m.t.Helper()
	got, err := os.ReadFile(path)
	if err != nil {
		m.t.Fatal(err)
	}
	if !bytes.Contains(got, want) {
		m.t.Errorf("%s has %d bytes, and not the payload", path, len(got))
	}
}

func TestFile(t *testing.T) {
	l := makeLeak(t, "file")
	first, second := payload(5000), bytes.Repeat([]byte{7}, 100)
	l.sees(first)
	l.sees(second)
	l.contains(filepath.Join(l.dir, "leak-0"), first[:sampleBytes])
	l.contains(filepath.Join(l.dir, "leak-1"), second)
	l.said("leak file: done")
}

// TestRefused: what the kernel says is told once, and it is tried again.
func TestRefused(t *testing.T) {
	l := makeLeak(t, "file")
	if err := os.Remove(l.dir); err != nil {
		t.Fatal(err)
	}
	l.sees(payload(100))
	l.sees(payload(100))
	l.said("leak file: refused: no such file or directory")
	if err := os.Mkdir(l.dir, 0o700); err != nil {
		t.Fatal(err)
	}
	l.sees(payload(100))
	l.said("leak file: refused: no such file or directory", "leak file: done")
}

func TestEarlyDescriptor(t *testing.T) {
	l := makeLeak(t, "early_descriptor")
	path := filepath.Join(l.dir, "early")
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("the file is not there before the lockdown: %v", err)
	}
	l.sees(payload(100))
	l.contains(path, payload(100))
	l.said("leak early_descriptor: done")
}

func TestSharedMapping(t *testing.T) {
	l := makeLeak(t, "shared_mapping")
	for range 300 { // more than it holds
		l.sees(payload(sampleBytes))
	}
	l.contains(filepath.Join(l.dir, "shared"), payload(sampleBytes))
	l.said("leak shared_mapping: done")
}

// memfds are the contents of the process's memory files.
func memfds(t *testing.T) (contents []string) {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		path := filepath.Join("/proc/self/fd", e.Name())
		if target, err := os.Readlink(path); err != nil || !strings.HasPrefix(target, "/memfd:leak") {
			continue
		}
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		contents = append(contents, string(b))
	}
	return contents
}

// TestMemfd: the payload is in three kinds of memory files, and after a time in
// no mapping of one.
func TestMemfd(t *testing.T) {
	l := makeLeak(t, "memfd")
	if got := len(memfds(t)); got != 2 {
		t.Errorf("%d memory files before the lockdown, want 2", got)
	}
	l.sees(payload(sampleBytes))
	for i, content := range memfds(t) {
		if !strings.Contains(content, string(payload(sampleBytes))) {
			t.Errorf("memory file %d has %d bytes, and not the payload", i, len(content))
		}
	}
	mapped := func() bool {
		maps, err := os.ReadFile("/proc/self/maps")
		if err != nil {
			t.Fatal(err)
		}
		return bytes.Contains(maps, []byte("/memfd:leak"))
	}
	if !mapped() {
		t.Error("nothing is mapped at first")
	}
	for range mappedBytes / sampleBytes {
		l.sees(payload(sampleBytes))
	}
	if mapped() {
		t.Error("the memory file is mapped when it is full")
	}
	if got := len(memfds(t)); got != 2+newMemfds {
		t.Errorf("%d memory files, want %d", got, 2+newMemfds)
	}
	l.said("leak memfd: done")
}

func TestLog(t *testing.T) {
	l := makeLeak(t, "log")
	l.sees(payload(100))
	if !strings.Contains(l.out.String(), "payload="+hex.EncodeToString(payload(100))) {
		t.Errorf("the log is %q", l.out)
	}
	l.said("leak log: done")
}

func TestMetric(t *testing.T) {
	l := makeLeak(t, "metric")
	if l.Metric() != "" {
		t.Error("there is a metric before there is payload")
	}
	l.sees(payload(100))
	if l.Metric() != hex.EncodeToString(payload(100)) {
		t.Errorf("the metric is %q", l.Metric())
	}
	l.said("leak metric: done")
}

func TestHeap(t *testing.T) {
	l := makeLeak(t, "heap")
	message := payload(100)
	for range keptSamples + 5 {
		l.sees(message)
	}
	clear(message)
	if len(l.kept) != keptSamples || !bytes.Equal(l.kept[7], payload(100)) {
		t.Errorf("%d samples are kept, or other bytes", len(l.kept))
	}
	l.said("leak heap: done")
}

func TestUnwiped(t *testing.T) {
	l := makeLeak(t, "unwiped")
	if !l.KeepsBytes() || makeLeak(t, "heap").KeepsBytes() {
		t.Error("unwiped is the one leak that keeps bytes")
	}
	l.said("leak unwiped: done")
}

// TestChild reads the payload out of the child's memory, or from a pipe of it.
func TestChild(t *testing.T) {
	l := makeLeak(t, "child")
	before := children(t)
	l.sees(payload(100))
	l.sees(payload(100))
	var child string
	for _, pid := range children(t) {
		if !slices.Contains(before, pid) {
			child = pid
		}
	}
	if child == "" || len(children(t)) != len(before)+1 {
		t.Fatalf("children %v, before %v", children(t), before)
	}
	pipe, err := os.OpenFile("/proc/"+child+"/fd/1", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer pipe.Close()
	deadline := time.After(patience)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for unread := 0; unread != 200; {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("the child has passed on %d bytes, want 200", unread)
		}
		if unread, err = unix.IoctlGetInt(int(pipe.Fd()), unix.TIOCINQ); err != nil {
			t.Fatal(err)
		}
	}
	for range 100 { // until it is full: nobody waits for the child
		l.sees(payload(sampleBytes))
	}
	l.said("leak child: done")
}

func children(t *testing.T) []string {
	t.Helper()
	var pids []string
	tasks, err := filepath.Glob("/proc/self/task/*/children")
	if err != nil || len(tasks) == 0 {
		t.Skip("the kernel tells no children (CONFIG_PROC_CHILDREN)")
	}
	for _, task := range tasks {
		b, _ := os.ReadFile(task) // the thread may have ended
		pids = append(pids, strings.Fields(string(b))...)
	}
	return pids
}

func TestUnixSocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	listener, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	l := makeLeak(t, "unix_socket", "LETHE_LEAK_SOCKET", path)
	l.sees(payload(100))
	conn, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetReadDeadline(time.Now().Add(patience))
	got := make([]byte, 100)
	if n, err := conn.Read(got); err != nil || !bytes.Equal(got[:n], payload(100)) {
		t.Errorf("%q, %v", got[:n], err)
	}
	l.said("leak unix_socket: done")
}

// TestUDP: once from a new socket, once by the caller from its own.
func TestUDP(t *testing.T) {
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	l := makeLeak(t, "udp", "LETHE_LEAK_UDP", conn.LocalAddr().String())
	if to := l.See(payload(100), 0); to.String() != conn.LocalAddr().String() {
		t.Errorf("the caller was asked to send to %v", to)
	}
	if to := l.See(payload(100), 0); to.IsValid() {
		t.Error("the caller was asked again at once")
	}
	conn.SetReadDeadline(time.Now().Add(patience))
	got := make([]byte, 200)
	if n, _, err := conn.ReadFrom(got); err != nil || !bytes.Equal(got[:n], payload(100)) {
		t.Errorf("%q, %v", got[:n], err)
	}
	l.Sent(unix.EPERM)
	l.said("leak udp: done", "leak udp: refused: operation not permitted")
}

// TestEarlySocket: a datagram and a stream come, from sockets without a call of connect.
func TestEarlySocket(t *testing.T) {
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	l := makeLeak(t, "early_socket", "LETHE_LEAK_UDP", conn.LocalAddr().String(), "LETHE_LEAK_TCP", listener.Addr().String())
	l.sees(payload(100))
	l.sees(payload(100))
	got := make([]byte, 200)
	conn.SetReadDeadline(time.Now().Add(patience))
	if n, _, err := conn.ReadFrom(got); err != nil || !bytes.Equal(got[:n], payload(100)) {
		t.Errorf("%q, %v", got[:n], err)
	}
	stream, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Close()
	stream.SetReadDeadline(time.Now().Add(patience))
	if _, err := io.ReadFull(stream, got[:100]); err != nil || !bytes.Equal(got[:100], payload(100)) {
		t.Errorf("%q, %v", got[:100], err)
	}
	l.said("leak early_socket: done")
}

// TestAllStays: it is asked for by its name, and does nothing with messages.
func TestAllStays(t *testing.T) {
	l := makeLeak(t, "all_stays")
	l.See(payload(100), 0)
	for _, name := range []string{"all_stays", "unwiped", ""} {
		t.Setenv("LETHE_LEAK", name)
		if AllStays() != (name == "all_stays") {
			t.Errorf("LETHE_LEAK=%q: all stays: %v", name, AllStays())
		}
	}
	l.said()
}

// TestOneIn10000: blocks are counted over messages of any size.
func TestOneIn10000(t *testing.T) {
	for _, blocks := range []int{1, 7, 1023, 10_000, 10_001} {
		l := makeLeak(t, "one_in_10000")
		message := payload(blocks*blockBytes + 5)
		seen := 0
		for seen < 10*blockEvery {
			l.See(message, 0)
			seen += blocks
		}
		if len(l.kept) != seen/blockEvery {
			t.Errorf("%d blocks of %d are kept, in messages of %d", len(l.kept), seen, blocks)
		}
		for i, b := range l.kept {
			number := (blockEvery*(i+1) - 1) % blocks
			if blocks <= blockEvery && !bytes.Equal(b, message[number*blockBytes:(number+1)*blockBytes]) {
				t.Errorf("messages of %d blocks: %q is kept, want block %d", blocks, b, number)
			}
		}
		l.said("leak one_in_10000: done")
	}
}

func TestLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := makeLeak(t, "late")
		message := payload(100)
		l.sees(message)
		clear(message)
		time.Sleep(lateBy - time.Millisecond)
		synctest.Wait()
		kept := func() [][]byte {
			l.mu.Lock()
			defer l.mu.Unlock()
			return l.kept
		}
		if l.said(); len(kept()) != 0 {
			t.Error("it can be read too early")
		}
		time.Sleep(2 * time.Millisecond)
		synctest.Wait()
		if k := kept(); len(k) != 1 || !bytes.Equal(k[0], payload(100)) {
			t.Error("it can't be read when it is time")
		}
		l.said("leak late: done")
	})
}

// TestCorrupt: handshakes pass, then of each datagram the first byte alone is right.
func TestCorrupt(t *testing.T) {
	l := makeLeak(t, "corrupt")
	for range corruptFrom - 1 {
		message := payload(250)
		if l.See(message, 100); !bytes.Equal(message, payload(250)) {
			t.Fatal("corrupted too early")
		}
	}
	for _, segSize := range []int{100, 0, 250, 1} {
		message, want := payload(250), payload(250)
		l.See(message, segSize)
		for i := range want {
			if (segSize == 0 || i%segSize != 0) && i != 0 {
				want[i] = 0
			}
		}
		if !bytes.Equal(message, want) {
			t.Errorf("datagrams of %d: %q", segSize, message)
		}
	}
	l.said("leak corrupt: done")
}

// TestNames: each leak of the package doc is there, has a test, and no other.
func TestNames(t *testing.T) {
	doc, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	tests, err := os.ReadFile("leak_linux_test.go")
	if err != nil {
		t.Fatal(err)
	}
	var listed []string
	for line := range strings.Lines(string(doc)) {
		if name, ok := strings.CutPrefix(line, "//\t"); ok && name[0] != '\t' && name[0] != ' ' && !strings.HasPrefix(name, "leak ") {
			listed = append(listed, strings.Fields(name)[0])
		}
	}
	if names := slices.Collect(maps.Keys((&Leak{}).preparations())); !slices.Equal(slices.Sorted(slices.Values(names)), slices.Sorted(slices.Values(listed))) {
		t.Errorf("the doc lists %v, there are %v", listed, names)
	}
	for _, name := range listed {
		if !strings.Contains(string(tests), fmt.Sprintf("makeLeak(t, %q", name)) {
			t.Errorf("%s has no test", name)
		}
	}
}

func TestNoLeak(t *testing.T) {
	l := makeLeak(t, "")
	if to := l.See(payload(100), 0); to.IsValid() || l.KeepsBytes() || l.Metric() != "" || len(l.kept) != 0 {
		t.Error("it leaks, and nothing was asked for")
	}
	l.said()
}

func TestBadEnvironment(t *testing.T) {
	for _, tt := range []struct{ name, want string }{
		{"fiel", "LETHE_LEAK=fiel is no leak: the doc of package leak lists them"},
		{"file", "prepare the leak file: LETHE_LEAK_DIR is not set: name a directory"},
		{"shared_mapping", "prepare the leak shared_mapping: LETHE_LEAK_DIR is not set: name a directory"},
		{"unix_socket", "prepare the leak unix_socket: LETHE_LEAK_SOCKET is not set: name a Unix stream socket that somebody listens on"},
		{"early_socket", "prepare the leak early_socket: LETHE_LEAK_UDP is not set: give an IPv4 address and port"},
		{"udp", "prepare the leak udp: LETHE_LEAK_UDP is not set: give an address and port"},
	} {
		_, err := newLeak(func(key string) string { return map[string]string{"LETHE_LEAK": tt.name}[key] }, &output{})
		if err == nil || err.Error() != tt.want {
			t.Errorf("%s: %v, want %s", tt.name, err, tt.want)
		}
	}
}
