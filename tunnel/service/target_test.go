package service

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestParseTarget(t *testing.T) {
	for _, s := range []string{
		"tcp:127.0.0.1:80", "tcp:[::1]:22", "tcp:[fe80::1%eth0]:65535", "tcp:printer.lan:1",
		"unix:/run/admin.sock", "unix:/with space:and colon", "unix:/" + strings.Repeat("x", 106),
	} {
		var target Target
		if err := target.UnmarshalText([]byte(s)); err != nil {
			t.Errorf("%q: %v", s, err)
		}
		if text, err := target.MarshalText(); err != nil || string(text) != s {
			t.Errorf("%q came back as %q, %v", s, text, err)
		}
	}
}

func TestParseTargetRefuses(t *testing.T) {
	for s, want := range map[string]string{
		"":                                   "neither tcp: nor unix:",
		"127.0.0.1:80":                       "neither tcp: nor unix:",
		"http://127.0.0.1":                   "neither tcp: nor unix:",
		"TCP:127.0.0.1:80":                   "neither tcp: nor unix:",
		"udp:127.0.0.1:53":                   "neither tcp: nor unix:",
		"tcp:127.0.0.1":                      "needs a host and a port",
		"tcp:::1:80":                         "in brackets",
		"tcp://127.0.0.1:80":                 "neither an IP address nor a host name",
		"tcp::80":                            "host is missing",
		"tcp:a b:80":                         "neither an IP address nor a host name",
		"tcp:127.0.0.1:0":                    "1 to 65535",
		"tcp:127.0.0.1:65536":                "1 to 65535",
		"tcp:127.0.0.1:http":                 "1 to 65535",
		"tcp:127.0.0.1:+80":                  "1 to 65535",
		"unix:run/admin.sock":                "starts with /",
		"unix:@abstract":                     "starts with /",
		"unix:":                              "starts with /",
		"unix:/a\x00b":                       "NUL",
		"unix:/" + strings.Repeat("x", 107):  "at most 107 bytes",
		"tcp:" + strings.Repeat("x", 100000): "needs a host and a port",
	} {
		target, err := ParseTarget(s)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "write tcp:HOST:PORT or unix:/PATH") {
			t.Errorf("%.40q: %v, want an error that says %q and what is expected", s, err, want)
			continue
		}
		if target != (Target{}) || len(err.Error()) > 1000 {
			t.Errorf("%.40q: target %v and an error of %d bytes", s, target, len(err.Error()))
		}
	}
}

// TestDial talks through a connection to each kind of target, to the end of both directions.
func TestDial(t *testing.T) {
	for network, address := range map[string]string{"tcp": "127.0.0.1:0", "unix": filepath.Join(t.TempDir(), "s")} {
		t.Run(network, func(t *testing.T) {
			l, err := net.Listen(network, address)
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			go echo(l)
			conn, err := Service{"echo", mustParse(t, network+":"+l.Addr().String())}.Dial(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if _, err := conn.Write([]byte("hello")); err != nil {
				t.Fatal(err)
			}
			if err := conn.CloseWrite(); err != nil {
				t.Fatal(err)
			}
			if got, err := io.ReadAll(conn); err != nil || string(got) != "hello" {
				t.Errorf("heard %q, %v; want hello", got, err)
			}
		})
	}
}

// TestDialDown checks what a device and the router's owner get to read about a service that is down.
func TestDialDown(t *testing.T) {
	dir := t.TempDir()
	deaf := filepath.Join(dir, "deaf")
	if err := os.WriteFile(deaf, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	closed := closedPort(t)
	expired, cancel := context.WithDeadline(t.Context(), time.Unix(0, 0))
	defer cancel()

	for _, tc := range []struct {
		name, target string
		ctx          context.Context
		err          error
		reason       string
		advice       string
	}{
		{"refused", "tcp:" + closed, t.Context(), syscall.ECONNREFUSED, "(connection refused)", "runs and listens there"},
		{"no socket", "unix:" + dir + "/none", t.Context(), os.ErrNotExist, "(no such file or directory)", "the path in its target"},
		{"not a socket", "unix:" + deaf, t.Context(), syscall.ECONNREFUSED, "(connection refused)", "runs and listens there"},
		{"no answer", "tcp:" + closed, expired, context.DeadlineExceeded, "(no answer in time)", "no firewall"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := Service{"web", mustParse(t, tc.target)}.Dial(tc.ctx)
			var down *DownError
			if !errors.As(err, &down) || !errors.Is(err, tc.err) {
				t.Fatalf("got %v, want a DownError for %v", err, tc.err)
			}
			for _, part := range []string{`service "web" is down`, tc.target, tc.reason, "check ", tc.advice} {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%q does not say %q", err, part)
				}
			}
		})
	}
}

// TestDownErrorSentences pins the sentences that real sockets of a test machine do not bring about.
func TestDownErrorSentences(t *testing.T) {
	target := mustParse(t, "unix:/run/admin.sock")
	for _, tc := range []struct {
		err  error
		want string
	}{
		{&net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.EACCES)},
			"the service is down: can't connect to unix:/run/admin.sock on the router (permission denied);" +
				" check that the agent's user may open that socket"},
		{&net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", Name: "printer.lan"}},
			"the service is down: can't connect to unix:/run/admin.sock on the router (no such host);" +
				" check the host name in its target, and the router's DNS"},
		{errors.New("strange"),
			"the service is down: can't connect to unix:/run/admin.sock on the router (strange);" +
				" check that the host in its target is up and that no firewall is in between"},
	} {
		if got := (&DownError{Target: target, Err: tc.err}).Error(); got != tc.want {
			t.Errorf("got  %s\nwant %s", got, tc.want)
		}
	}
}

// TestDialCancelled: a stream that the device gave up says nothing about the service.
func TestDialCancelled(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	gone := errors.New("the device is gone")
	cancel(gone)
	_, err := mustParse(t, "tcp:127.0.0.1:1").Dial(ctx)
	if err != gone {
		t.Errorf("got %v, want %v", err, gone)
	}
}

func mustParse(t *testing.T, s string) Target {
	t.Helper()
	target, err := ParseTarget(s)
	if err != nil {
		t.Fatal(err)
	}
	return target
}

// echo answers one connection with what it says.
func echo(l net.Listener) {
	conn, err := l.Accept()
	if err != nil {
		return
	}
	defer conn.Close()
	_, _ = io.Copy(conn, conn)
}

// closedPort returns a loopback address on which nothing listens.
func closedPort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
