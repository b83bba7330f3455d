package localsock

import (
	"context"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestSocketAtPathsOfAnyLength(t *testing.T) {
	for name, dir := range map[string]string{
		"short": t.TempDir(),
		"long":  filepath.Join(t.TempDir(), strings.Repeat("deep", 30), strings.Repeat("deeper", 20)),
	} {
		t.Run(name, func(t *testing.T) {
			if err := os.MkdirAll(dir, 0o700); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(dir, "test.sock")
			for range 2 { // the second Listen replaces what a dead program left
				l, err := Listen(path)
				if err != nil {
					t.Fatal(err)
				}
				info, err := os.Stat(path)
				if err != nil || info.Mode().Perm() != 0o600 {
					t.Fatalf("socket is %v, %v; want mode 0600", info, err)
				}
				go func() {
					if c, err := l.Accept(); err == nil {
						io.WriteString(c, "here")
						c.Close()
					}
				}()
				c, err := Dial(context.Background(), path)
				if err != nil {
					t.Fatal(err)
				}
				if got, _ := io.ReadAll(c); string(got) != "here" {
					t.Fatalf("read %q", got)
				}
				c.Close()
				l.Close()
				if _, err := os.Stat(path); err == nil {
					t.Fatal("Close left the socket")
				}
				stale, err := net.ListenUnix("unix", &net.UnixAddr{Name: filepath.Join(t.TempDir(), "s"), Net: "unix"})
				if err != nil {
					t.Fatal(err)
				}
				stale.SetUnlinkOnClose(false)
				stale.Close()
				if err := os.Rename(stale.Addr().String(), path); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

func TestListenLeavesOtherFilesAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "relay.key")
	if err := os.WriteFile(path, []byte("key"), 0o600); err != nil {
		t.Fatal(err)
	}
	if l, err := Listen(path); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("Listen = %v, %v", l, err)
	}
	if got, err := os.ReadFile(path); string(got) != "key" {
		t.Errorf("the file holds %q, %v", got, err)
	}
}

func TestDialNamesThePathItWasGiven(t *testing.T) {
	path := filepath.Join(t.TempDir(), "nobody.sock")
	if _, err := Dial(context.Background(), path); err == nil || !strings.Contains(err.Error(), path) {
		t.Fatalf("error %v does not name %s", err, path)
	}
}
