package lockdown

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/quic-go/quic-go"
)

const nobody = 65534

// A user is whom a child runs as.
type user struct {
	name string
	id   uint32
}

// An output collects what a child prints, while it may be read.
type output struct {
	mu   sync.Mutex
	text strings.Builder
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// users are those that this process can start children as.
func users() []user {
	if os.Getuid() != 0 {
		return []user{{"unprivileged", uint32(os.Getuid())}}
	}
	return []user{{"root", 0}, {"unprivileged", nobody}}
}

// A child is a process that was given an order.
type child struct {
	greeting
	cmd    *exec.Cmd
	stdin  io.Closer
	stderr *output
	wait   func() error
}

// childBinary is the test binary in a place where every user can execute it.
func childBinary(t *testing.T) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(self)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(publicDir(t, 0), "child")
	if err := os.WriteFile(path, data, 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

// publicDir is a directory that belongs to a user.
func publicDir(t *testing.T, owner uint32) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "lethe-lockdown-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if os.Getuid() == 0 {
		if err := os.Chown(dir, int(owner), int(owner)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// command is a child that is not started yet. It ends with the test at the latest.
func command(t *testing.T, path string, as user, o order) *exec.Cmd {
	t.Helper()
	text, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, path)
	cmd.Dir = "/"
	cmd.Env = append(os.Environ(), orderVariable+"="+string(text))
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if os.Getuid() == 0 && as.id != 0 {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: as.id, Gid: as.id}
	}
	return cmd
}

// answerOf runs a child to its end and reads what it said.
func answerOf(t *testing.T, cmd *exec.Cmd, into any) {
	t.Helper()
	var stderr bytes.Buffer
	if cmd.Stderr == nil {
		cmd.Stderr = &stderr
	}
	out, err := cmd.Output()
	if jsonErr := json.Unmarshal(out, into); jsonErr != nil {
		t.Fatalf("the child said %q, and on stderr %q: %v", out, stderr.String(), err)
	}
}

// start starts a child that serves, and reads its greeting.
func start(t *testing.T, path string, as user, o order) *child {
	t.Helper()
	o.Do = "serve"
	if o.Dir == "" {
		o.Dir = publicDir(t, as.id)
	}
	c := &child{cmd: command(t, path, as, o), stderr: new(output)}
	stdin, err1 := c.cmd.StdinPipe()
	stdout, err2 := c.cmd.StdoutPipe()
	c.stdin, c.cmd.Stderr = stdin, c.stderr
	if err := errors.Join(err1, err2, c.cmd.Start()); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(stdout).ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, &c.greeting)
	}
	c.wait = c.cmd.Wait
	t.Cleanup(func() {
		stdin.Close()
		c.wait()
	})
	if err != nil {
		stdin.Close()
		t.Fatalf("the child said %q: %v; %v; stderr: %s", line, err, c.cmd.Wait(), c.stderr)
	}
	return c
}

// get asks a child over TCP.
func (c *child) get(t *testing.T, path string) string {
	t.Helper()
	body, err := get(http.DefaultClient, "http://"+c.HTTP+path)
	if err != nil {
		t.Fatalf("%v; stderr: %s", err, c.stderr)
	}
	return body
}

func get(client *http.Client, url string) (string, error) {
	resp, err := client.Get(url)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return string(body), err
}

// load has a child carry QUIC and answer HTTP, all at once, and looks at what comes back.
func (c *child) load(t *testing.T) {
	t.Helper()
	var tasks []func() error
	overUnix := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", c.Unix)
	}}}
	defer overUnix.CloseIdleConnections()
	for _, url := range []string{"/metrics", "/verify"} {
		tasks = append(tasks, func() error { return c.ask(http.DefaultClient, "http://"+c.HTTP+url) })
		tasks = append(tasks, func() error { return c.ask(overUnix, "http://unix"+url) })
	}
	for range 4 {
		tasks = append(tasks, func() error { return echoed(c.QUIC) })
	}
	if err := together(tasks); err != nil {
		t.Fatalf("under load: %v; stderr: %s", err, c.stderr)
	}
}

// together does all tasks at once.
func together(tasks []func() error) error {
	results := make(chan error)
	for _, task := range tasks {
		go func() { results <- task() }()
	}
	var errs []error
	for range tasks {
		errs = append(errs, <-results)
	}
	return errors.Join(errs...)
}

func (c *child) ask(client *http.Client, url string) error {
	for range 15 {
		if body, err := get(client, url); err != nil || len(body) < 1000 {
			return fmt.Errorf("%s: %d bytes, %v", url, len(body), err)
		}
	}
	return nil
}

// echoed sends half a megabyte over QUIC and wants it back.
func echoed(address string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	conn, err := quic.DialAddr(ctx, address, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"echo"}}, nil)
	if err != nil {
		return err
	}
	defer conn.CloseWithError(0, "")
	for range 4 {
		s, err := conn.OpenStreamSync(ctx)
		if err != nil {
			return err
		}
		sent := make([]byte, 1<<17)
		rand.Read(sent)
		go func() {
			s.Write(sent)
			s.Close()
		}()
		if got, err := io.ReadAll(s); err != nil || !bytes.Equal(got, sent) {
			return fmt.Errorf("%d of %d bytes came back, %v", len(got), len(sent), err)
		}
	}
	return nil
}

// threads reads one line of /proc/PID/task/*/status of every thread.
func (c *child) threads(t *testing.T, field string) (values []string) {
	t.Helper()
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", c.cmd.Process.Pid))
	if err != nil || len(files) < 8 {
		t.Fatalf("%d threads, %v; want the 8 that wait at least", len(files), err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if errors.Is(err, os.ErrNotExist) || errors.Is(err, syscall.ESRCH) { // ended meanwhile
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		_, rest, found := strings.Cut(string(data), "\n"+field+":")
		if !found {
			t.Fatalf("%s has no %s", file, field)
		}
		value, _, _ := strings.Cut(rest, "\n")
		values = append(values, strings.TrimSpace(value))
	}
	return values
}

// inForce gives the control by a name.
func inForce(t *testing.T, controls []Control, name string) Control {
	t.Helper()
	for _, c := range controls {
		if c.Name == name {
			return c
		}
	}
	t.Fatalf("there is no control %s", name)
	return Control{}
}
