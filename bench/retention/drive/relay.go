package drive

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/lethe-relay/lethe/bench/proc"
)

const (
	readyTimeout = 30 * time.Second // from the start of the relay to its ready line
	stopTimeout  = 10 * time.Second // from a signal to the end

	// plenty is a limit that no audit reaches.
	plenty = "1000000"
	// idleTimeout is the least that the configuration takes.
	idleTimeout = 30 * time.Second
)

// Launch says how to start a relay.
type Launch struct {
	Binary   string
	Dir      string            // an empty folder for its configuration
	Lockdown string            // require, prefer or off
	Env      []string          // added to the environment
	CPUs     []int             // that it may use; nil: all
	Settings map[string]string // keys of the configuration, set to these values besides
	Sockets  int               // that it has, one for each processor it believes in; 0: as it finds them
}

// Relay is a running relay.
type Relay struct {
	PID   int
	URL   string // with the token
	Addr  netip.AddrPort
	Admin Admin
	Dir   string // of its configuration; empty when it was attached to

	// Out and Err are what it prints; nil when it was attached to. Whoever has
	// the Relay reads them to their end.
	Out, Err io.Reader

	printed *lines
	cmd     *exec.Cmd // nil when it was attached to
	ended   chan struct{}
}

// Start starts a relay that Init has given a configuration of its own, and whose
// limits are out of the way. Ready tells when it serves.
func Start(ctx context.Context, l Launch) (*Relay, error) {
	config, err := configure(ctx, l)
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, l.Binary, "run", "--config", config)
	cmd.Env = append(os.Environ(), l.Env...)
	if l.Sockets > 0 {
		cmd.Env = append(cmd.Env, fmt.Sprintf("GOMAXPROCS=%d", l.Sockets))
	}
	cmd.Dir = l.Dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // an interrupt from the terminal is for the auditor alone
	r := &Relay{Dir: l.Dir, cmd: cmd, printed: newLines(), ended: make(chan struct{})}
	outRead, outWrite, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	errRead, errWrite, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	cmd.Stdout, cmd.Stderr = outWrite, errWrite
	r.Out, r.Err = io.TeeReader(outRead, r.printed), io.TeeReader(errRead, r.printed)
	err = proc.StartOn(l.CPUs, cmd.Start)
	outWrite.Close()
	errWrite.Close()
	if err != nil {
		return nil, fmt.Errorf("start the relay: %w", err)
	}
	r.PID = cmd.Process.Pid
	go func() {
		cmd.Wait()
		close(r.ended)
	}()
	return r, nil
}

// configure has the relay write a configuration, and edits it as an operator would.
func configure(ctx context.Context, l Launch) (path string, err error) {
	out, err := exec.CommandContext(ctx, l.Binary, "init", "--dir", l.Dir, "--listen", "127.0.0.1:0").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("lethe-relay init: %w: %s", err, out)
	}
	path = filepath.Join(l.Dir, "relay.yaml")
	data, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	text := string(data)
	settings := map[string]string{
		"idle_timeout": fmt.Sprintf("%q", idleTimeout), "sessions_per_router": plenty, "sessions_per_device": plenty,
		"connections": plenty, "requests_per_minute": plenty, "opens_per_minute": plenty,
	}
	maps.Copy(settings, l.Settings)
	if l.Lockdown != "" {
		settings["lockdown"] = l.Lockdown
	}
	for key, value := range settings {
		if text, err = set(text, key, value); err != nil {
			return "", err
		}
	}
	return path, os.WriteFile(path, []byte(text), 0o600)
}

// set gives a key of the configuration another value.
func set(text, key, value string) (string, error) {
	line := regexp.MustCompile(`(?m)^(\s*)(?:# )?` + key + `:.*$`)
	if !line.MatchString(text) {
		return "", fmt.Errorf("the configuration that 'lethe-relay init' writes has no key %q: this auditor is for another version", key)
	}
	return line.ReplaceAllString(text, "${1}"+key+": "+value), nil
}

// Ready waits until a relay that was started serves. Its output is read meanwhile.
func (r *Relay) Ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	url, err := r.await(ctx, "url ")
	if err != nil {
		return fmt.Errorf("the relay did not become ready: %w", err)
	}
	addr, err := r.await(ctx, "ready ")
	if err != nil {
		return fmt.Errorf("the relay did not become ready: %w", err)
	}
	r.URL = url
	r.Admin = Admin{Socket: filepath.Join(r.Dir, "admin.sock")}
	if r.Addr, err = netip.ParseAddrPort(addr); err != nil {
		return fmt.Errorf("the relay's ready line: %w", err)
	}
	return nil
}

// await waits for a line that begins with prefix, and returns its rest.
func (r *Relay) await(ctx context.Context, prefix string) (rest string, err error) {
	for {
		line, found, changed := r.printed.find(prefix)
		if found {
			return strings.TrimPrefix(line, prefix), nil
		}
		select {
		case <-changed:
		case <-r.ended:
			return "", fmt.Errorf("it ended; it printed: %s", r.printed.last())
		case <-ctx.Done():
			return "", context.Cause(ctx)
		}
	}
}

// Printed returns the lines so far that begin with prefix.
func (r *Relay) Printed(prefix string) []string {
	if r.printed == nil {
		return nil
	}
	return r.printed.all(prefix)
}

// CPU is the processor time that the relay has used.
func (r *Relay) CPU() (time.Duration, error) { return proc.CPUTime(r.PID) }

// Signal sends a signal to the relay.
func (r *Relay) Signal(s syscall.Signal) error { return syscall.Kill(r.PID, s) }

// Ended is closed when a relay that was started has ended.
func (r *Relay) Ended() <-chan struct{} { return r.ended }

// Status is how a relay that was started has ended. It is valid when Ended is closed.
func (r *Relay) Status() *os.ProcessState { return r.cmd.ProcessState }

// Stop ends a relay that was started, and does nothing to another.
func (r *Relay) Stop() {
	if r.cmd == nil {
		return
	}
	r.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-r.ended:
	case <-time.After(stopTimeout):
		r.cmd.Process.Kill()
		<-r.ended
	}
}

// lines are what a process has printed, line by line. It is an [io.Writer].
type lines struct {
	mu      sync.Mutex
	done    []string      // guarded by mu
	rest    string        // guarded by mu: what is not a whole line yet
	changed chan struct{} // guarded by mu: closed with the next line
}

func newLines() *lines { return &lines{changed: make(chan struct{})} }

// maxLines is how many of the first lines are kept; the detector of output looks at all of them.
const maxLines = 10_000

// Write implements [io.Writer].
func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	text := l.rest + string(b)
	for {
		line, rest, whole := strings.Cut(text, "\n")
		if !whole {
			break
		}
		if text = rest; len(l.done) < maxLines {
			l.done = append(l.done, line)
		}
		close(l.changed)
		l.changed = make(chan struct{})
	}
	l.rest = text
	return len(b), nil
}

func (l *lines) find(prefix string) (line string, found bool, changed <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, line := range l.done {
		if strings.HasPrefix(line, prefix) {
			return line, true, nil
		}
	}
	return "", false, l.changed
}

func (l *lines) all(prefix string) (found []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, line := range l.done {
		if strings.HasPrefix(line, prefix) {
			found = append(found, line)
		}
	}
	return found
}

// last is the end of what was printed.
func (l *lines) last() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.done[max(0, len(l.done)-3):], " / ") + l.rest
}
