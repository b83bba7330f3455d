//go:build linux

package e2e

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"net"
	"os/exec"
	"strings"
	"testing"
)

// A download is a curl whose output is read as the test likes.
type download struct {
	t      *testing.T
	cmd    *exec.Cmd
	out    io.Reader
	stderr strings.Builder
	digest hash.Hash
	size   int64
}

// newDownload starts one. Words in front of curl are where it runs.
func newDownload(t *testing.T, ctx context.Context, url string, in ...string) *download {
	t.Helper()
	return startDownload(t, ctx, append(in, "curl", "-sS", "--fail", url))
}

func startDownload(t *testing.T, ctx context.Context, command []string) *download {
	t.Helper()
	d := &download{t: t, cmd: exec.CommandContext(ctx, command[0], command[1:]...), digest: sha256.New()}
	d.cmd.Stderr = &d.stderr
	d.cmd.SysProcAttr = ownGroup()
	out, err := d.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	d.out = out
	if err := d.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.cmd.Process.Kill() }) // no harm if it has ended
	return d
}

// some reads n bytes.
func (d *download) some(n int64) {
	d.t.Helper()
	got, err := io.CopyN(d.digest, d.out, n)
	d.size += got
	if err != nil {
		d.t.Fatalf("after %d bytes: %v\n%s", d.size, err, &d.stderr)
	}
}

// rest reads to the end, which has to be a good one.
func (d *download) rest() {
	d.t.Helper()
	if err := d.end(); err != nil {
		d.t.Fatalf("after %d bytes: %v\n%s", d.size, err, &d.stderr)
	}
}

// end reads to the end, whatever it is.
func (d *download) end() error {
	got, err := io.Copy(d.digest, d.out)
	d.size += got
	return errors.Join(err, d.cmd.Wait())
}

func (d *download) sum() string { return hex.EncodeToString(d.digest.Sum(nil)) }

// serveEcho sends back what it gets, once it has got all of it.
func serveEcho(t *testing.T) (addr string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				if all, err := io.ReadAll(conn); err == nil {
					conn.Write(all)
				}
			}()
		}
	}()
	return l.Addr().String()
}
