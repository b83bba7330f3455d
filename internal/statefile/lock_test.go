//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package statefile

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// TestMain plays the other program of TestLockAcrossProcesses: it locks the directory, says so,
// and holds it until its input ends.
func TestMain(m *testing.M) {
	dir := os.Getenv("STATEFILE_TEST_LOCK")
	if dir == "" {
		os.Exit(m.Run())
	}
	if _, err := Lock(dir); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println("locked")
	io.Copy(io.Discard, os.Stdin)
}

func TestLock(t *testing.T) {
	dir := t.TempDir()
	for range 2 { // the second round finds the lock file of the first
		unlock, err := Lock(dir)
		if err != nil {
			t.Fatal(err)
		}
		wantInUse(t, dir, os.Getpid())
		unlock()
	}
	wantMode(t, dir+"/lock", 0o600)
}

// TestLockAcrossProcesses: the lock keeps out another program, and ends with it.
func TestLockAcrossProcesses(t *testing.T) {
	dir := t.TempDir()
	other := exec.Command(os.Args[0])
	other.Env = append(os.Environ(), "STATEFILE_TEST_LOCK="+dir)
	stdin, err := other.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := other.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Start(); err != nil {
		t.Fatal(err)
	}
	defer stdin.Close()
	if line, err := bufio.NewReader(stdout).ReadString('\n'); line != "locked\n" {
		t.Fatalf("the other program says %q, %v", line, err)
	}
	wantInUse(t, dir, other.Process.Pid)
	if err := other.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	other.Wait()
	unlock, err := Lock(dir)
	if err != nil {
		t.Fatalf("after the other program was killed: %v", err)
	}
	unlock()
}

func TestLockMissingDirectory(t *testing.T) {
	if _, err := Lock(t.TempDir() + "/none"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v, want os.ErrNotExist", err)
	}
}

// wantInUse checks that dir cannot be locked, and that the error names who holds it.
func wantInUse(t *testing.T, dir string, holder int) {
	t.Helper()
	_, err := Lock(dir)
	if !errors.Is(err, ErrLocked) || !strings.Contains(err.Error(), fmt.Sprintf("(process %d)", holder)) {
		t.Errorf("got %v, want ErrLocked and process %d", err, holder)
	}
}
