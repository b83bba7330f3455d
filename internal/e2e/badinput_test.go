//go:build linux

package e2e

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// stateFiles are all files that our programs keep, with a command that needs each.
func (h *home) stateFiles() map[string][]string {
	relay := []string{"lethe-relay", "url", "--config", h.at("relay/relay.yaml")}
	agent := []string{"lethe-agent", "run", "--config", h.at("agent/agent.yaml")}
	phone := h.letheCommand("phone", "status", "home")
	return map[string][]string{
		"relay/relay.yaml":            relay,
		"relay/relay.key":             relay,
		"agent/agent.yaml":            agent,
		"agent/router.key":            agent,
		"agent/devices.json":          agent,
		"phone/device.key":            phone,
		"phone/routers/home.json":     phone,
		"phone/routers/home-cert.pub": phone,
	}
}

// stoppedHome is a home with all files of a pairing, and nothing running.
func stoppedHome(t *testing.T, ctx context.Context) *home {
	t.Helper()
	h := newHome(t, ctx)
	h.pair(ctx)
	h.agent.stop(syscall.SIGTERM)
	h.relay.stop(syscall.SIGTERM)
	return h
}

// TestDamagedFiles spoils each file in each way. The command that needs it
// names it, and does not repeat a secret of it.
func TestDamagedFiles(t *testing.T) {
	t.Parallel()
	ctx := deadline(t, time.Minute)
	h := stoppedHome(t, ctx)
	ways := map[string]func(t *testing.T, path, whole string){
		"empty":   func(t *testing.T, path, _ string) { write(t, path, "") },
		"cut off": func(t *testing.T, path, whole string) { write(t, path, whole[:cutAt(path, whole)]) },
		"noise": func(t *testing.T, path, whole string) {
			write(t, path, strings.Repeat("\x00\xff\x1b[2J", len(whole)/6))
		},
		"noise behind it": func(t *testing.T, path, whole string) { write(t, path, whole+"\x00\xff\x1b[2J") },
		"another's":       func(t *testing.T, path, _ string) { write(t, path, `{"other": "things"}`) },
		"too large":       func(t *testing.T, path, whole string) { write(t, path, strings.Repeat(whole, 2<<20/len(whole))) },
		"not private":     func(t *testing.T, path, _ string) { chmod(t, path, 0o644) },
		"a directory":     func(t *testing.T, path, _ string) { replaceByDir(t, path) },
		"a pipe":          func(t *testing.T, path, _ string) { replaceByPipe(t, path) },
		"not readable":    func(t *testing.T, path, _ string) { chmod(t, path, 0) },
	}
	for name, command := range h.stateFiles() {
		for way, spoil := range ways {
			t.Run(name+" "+way, func(t *testing.T) {
				command := command
				if way == "not readable" && os.Geteuid() == 0 { // root reads all files, unless it may not
					need(t, map[string]string{"setpriv": "util-linux"})
					command = append([]string{"setpriv", "--bounding-set=-dac_override,-dac_read_search"}, command...)
				}
				path := h.at(name)
				whole := read(t, path)
				defer func() {
					os.RemoveAll(path)
					write(t, path, whole)
				}()
				spoil(t, path, whole)
				r := run(t, deadline(t, 10*time.Second), command...)
				if strings.HasSuffix(name, ".yaml") {
					r.stderr = withoutExcerpt(r.stderr)
				}
				r.refused(t, 1, path)
				if strings.ContainsAny(r.stderr, "\x1b\x00") {
					t.Errorf("control characters reach the terminal: %q", r.stderr)
				}
				if leaked := secretIn(r.stderr, whole); leaked != "" {
					t.Errorf("the message repeats %q of the file:\n%s", leaked, r.stderr)
				}
			})
		}
	}
}

// cutAt is a place to cut a file: in a configuration before what it can't do without.
func cutAt(path, whole string) int {
	if strings.HasSuffix(path, ".yaml") {
		return len(whole) / 8
	}
	return len(whole) / 2
}

// withoutExcerpt takes the line with carets out of a message about a
// configuration: the line of the file and the carets below it.
func withoutExcerpt(stderr string) string {
	lines := strings.SplitAfter(stderr, "\n")
	if len(lines) == 4 && strings.Contains(lines[2], "^") {
		return lines[0]
	}
	return stderr
}

// secretIn returns a run of letters and digits of the file that is as long as
// a secret and is in the message, too.
func secretIn(message, file string) string {
	for _, word := range strings.FieldsFunc(file, func(r rune) bool { return strings.ContainsRune(" \t\r\n\"'&=?:,/", r) }) {
		if len(word) >= 20 && !strings.Contains(word, ".") && strings.Contains(message, word) {
			return word
		}
	}
	return ""
}

func chmod(t *testing.T, path string, mode os.FileMode) {
	t.Helper()
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}

func replaceByDir(t *testing.T, path string) {
	t.Helper()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(path, 0o700); err != nil {
		t.Fatal(err)
	}
}

// replaceByPipe makes a pipe that nobody writes to: who waits for its content waits for ever.
func replaceByPipe(t *testing.T, path string) {
	t.Helper()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestMissingFiles: each message says what makes the file.
func TestMissingFiles(t *testing.T) {
	t.Parallel()
	ctx := deadline(t, time.Minute)
	h := stoppedHome(t, ctx)
	hints := map[string]string{
		"relay/relay.yaml":            "lethe-relay init",
		"relay/relay.key":             "lethe-relay init",
		"agent/agent.yaml":            "lethe-agent init",
		"agent/router.key":            "lethe-agent init",
		"phone/routers/home.json":     "lethe pair",
		"phone/routers/home-cert.pub": "pair again",
	}
	for name, command := range h.stateFiles() {
		hint, checked := hints[name]
		if !checked {
			continue // made anew, or an empty list
		}
		t.Run(name, func(t *testing.T) {
			path := h.at(name)
			whole := read(t, path)
			defer write(t, path, whole)
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
			run(t, deadline(t, 10*time.Second), command...).refused(t, 1, hint)
		})
	}
}

// TestUnknownKey: a mistyped key of a configuration is shown in its place.
func TestUnknownKey(t *testing.T) {
	t.Parallel()
	ctx := deadline(t, time.Minute)
	h := stoppedHome(t, ctx)
	for _, c := range []struct{ file, old, new, word string }{
		{"relay/relay.yaml", "idle_timeout:", "idle_timeot:", "idle_timeot"},
		{"relay/relay.yaml", "  sessions:", "  sesions:", "sesions"},
		{"agent/agent.yaml", "services:", "service:", "service"},
	} {
		t.Run(c.word, func(t *testing.T) {
			whole := read(t, h.at(c.file))
			defer write(t, h.at(c.file), whole)
			h.edit(c.file, "\n"+c.old, "\n"+c.new)
			r := run(t, ctx, h.stateFiles()[c.file]...)
			lines := strings.Split(strings.TrimSuffix(r.stderr, "\n"), "\n")
			if r.code != 1 || r.stdout != "" || len(lines) != 3 {
				t.Fatalf("exit code %d, and not three lines:\n%s%s", r.code, r.stdout, r.stderr)
			}
			if !strings.Contains(lines[0], h.at(c.file)+":") || !strings.Contains(lines[0], strings.TrimSpace(strings.TrimSuffix(c.old, ":"))) {
				t.Errorf("does not name place and key meant: %s", lines[0])
			}
			at := strings.Index(lines[1], c.word)
			if carets := strings.Repeat("^", len(c.word)); at < 0 || strings.TrimRight(lines[2], " ") != "     |"+strings.Repeat(" ", at-6)+carets {
				t.Errorf("the carets are elsewhere:\n%s\n%s", lines[1], lines[2])
			}
		})
	}
}

// TestFileModes: whatever our programs leave in their folders is private.
func TestFileModes(t *testing.T) {
	t.Parallel()
	ctx := deadline(t, time.Minute)
	h := newHome(t, ctx)
	h.pair(ctx)
	seen := 0
	err := filepath.WalkDir(h.dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || path == h.dir {
			return err
		}
		info, err := d.Info()
		want := os.FileMode(0o600)
		if d.IsDir() {
			want = 0o700
		}
		if err == nil && info.Mode().Perm() != want {
			err = fmt.Errorf("%s has mode %04o, want %04o", path, info.Mode().Perm(), want)
		}
		seen++
		return err
	})
	if err != nil {
		t.Error(err)
	}
	const folders, locks, sockets = 4, 3, 2
	if want := len(h.stateFiles()) + folders + locks + sockets; seen < want { // the journal comes when it comes
		t.Errorf("looked at %d files and folders, want %d or more", seen, want)
	}
}
