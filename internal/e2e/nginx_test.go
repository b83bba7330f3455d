//go:build linux

package e2e

import (
	"context"
	"fmt"
	"hash"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
)

// web is an nginx that serves a folder, and takes uploads below /put/.
type web struct {
	*program
	addr string
	root string
}

const nginxConfig = `%s
daemon off;
master_process off;
pid %[2]s/nginx.pid;
error_log stderr notice;
events { worker_connections 512; }
http {
	access_log off;
	sendfile on;
	client_max_body_size 0;
	client_body_temp_path %[2]s/body;
	proxy_temp_path %[2]s/proxy;
	fastcgi_temp_path %[2]s/fastcgi;
	uwsgi_temp_path %[2]s/uwsgi;
	scgi_temp_path %[2]s/scgi;
	server {
		listen %[3]s;
		root %[2]s/root;
		location /put/ { dav_methods PUT; create_full_put_path on; }
	}
}
`

// serveWeb starts nginx on loopback. Words in front of it, such as
// "ip netns exec NAME", are where it runs.
func serveWeb(t *testing.T, ctx context.Context, addr string, in ...string) *web {
	t.Helper()
	need(t, map[string]string{"nginx": "nginx", "curl": "curl"})
	dir := t.TempDir()
	w := &web{addr: addr, root: filepath.Join(dir, "root")}
	user := ""
	if os.Geteuid() == 0 {
		user = "user root;" // the folder is this user's alone
	}
	if err := os.Mkdir(w.root, 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "nginx.conf"), fmt.Sprintf(nginxConfig, user, dir, addr))
	w.program = start(t, ctx, append(in, "nginx", "-e", "stderr", "-p", dir, "-c", filepath.Join(dir, "nginx.conf"))...)
	w.prints(ctx, w.stderr, 0, "getrlimit") // it listens by now
	return w
}

// put makes a file of n bytes that do not repeat, the same for the same seed,
// and writes them into digest, too.
func (w *web) put(name string, n int64, seed byte, digest hash.Hash) {
	w.t.Helper()
	f, err := os.Create(filepath.Join(w.root, name))
	if err != nil {
		w.t.Fatal(err)
	}
	_, err = io.Copy(io.MultiWriter(f, digest), io.LimitReader(rand.NewChaCha8([32]byte{seed}), n))
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err != nil {
		w.t.Fatal(err)
	}
}
