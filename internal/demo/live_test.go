package demo

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
)

// TestLive starts the demo, waits for the URL, gets it, and ends the demo.
func TestLive(t *testing.T) {
	check := watchFiles(t)
	ctx, cancel := context.WithCancel(testContext(t))
	defer cancel()
	in, out := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		err := Live(ctx, testConfig(), out)
		out.Close()
		ended <- err
	}()
	lines := bufio.NewScanner(in)
	url, ok := strings.CutPrefix(waitFor(t, lines, "open "), "open")
	if !ok {
		t.Fatal("there is no URL")
	}
	line := waitFor(t, lines, "throughput ")
	for _, want := range []string{"relay sees 1 session", "on the wire ", "page says \"secret-", "found 0 times"} {
		if !strings.Contains(line, want) {
			t.Errorf("%q is not in %q", want, line)
		}
	}
	if page := get(t, strings.TrimSpace(url)); !strings.Contains(page, pageTitle) {
		t.Errorf("got %q", page)
	}
	cancel()
	if waitFor(t, lines, "ended; nothing is left") == "" {
		t.Error("it does not say that it has ended")
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
	check()
}

// waitFor returns the next line that begins with prefix, or nothing.
func waitFor(t *testing.T, lines *bufio.Scanner, prefix string) string {
	t.Helper()
	for lines.Scan() {
		if strings.HasPrefix(lines.Text(), prefix) {
			return lines.Text()
		}
	}
	t.Errorf("no line begins with %q", prefix)
	return ""
}

func get(t *testing.T, url string) string {
	t.Helper()
	client := newClient()
	defer client.CloseIdleConnections()
	response, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%s, %v", response.Status, err)
	}
	return string(body)
}

// TestLiveFails: the secret on the wire ends the demo, before and while it shows something.
func TestLiveFails(t *testing.T) {
	t.Run("at the start", func(t *testing.T) {
		s := testStage(t)
		plant(t, s.wire.proxy.Addr(), s.page.secret)
		wantLeak(t, s.live(newScreen(io.Discard)))
	})
	t.Run("later", func(t *testing.T) {
		s := testStage(t)
		shown := 0
		out := writerFunc(func(b []byte) (int, error) {
			if shown++; shown == 2 { // after the introduction
				plant(t, s.wire.proxy.Addr(), s.page.secret)
			}
			return len(b), nil
		})
		wantLeak(t, s.live(&screen{out: out, width: func() int { return 80 }}))
	})
}

func wantLeak(t *testing.T, err error) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), "the tunnel leaks plaintext") {
		t.Errorf("got %v", err)
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(b []byte) (int, error) { return f(b) }

func TestScreen(t *testing.T) {
	lines := []string{"one   two", "3456789é12"}
	for _, tc := range []struct {
		name  string
		width func() int
		want  string
	}{
		{"pipe", nil, "one two | 3456789é12\none two | 3456789é12\n"},
		{"wide terminal", func() int { return 80 }, "\rone   two\x1b[K\n\r3456789é12\x1b[K\n\x1b[2A\rone   two\x1b[K\n\r3456789é12\x1b[K\n"},
		{"narrow terminal", func() int { return 9 }, "\rone   tw\x1b[K\n\r3456789é\x1b[K\n\x1b[2A\rone   tw\x1b[K\n\r3456789é\x1b[K\n"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var out strings.Builder
			s := &screen{out: &out, width: tc.width}
			for range 2 {
				if err := s.show(lines); err != nil {
					t.Fatal(err)
				}
			}
			if out.String() != tc.want {
				t.Errorf("got  %q\nwant %q", &out, tc.want)
			}
		})
	}
}
