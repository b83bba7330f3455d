package demo

import (
	"context"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is for what happens at once, on a machine that is busy.
const patience = 30 * time.Second

func testContext(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

func testConfig() Config {
	return Config{Version: "test", Log: slog.New(slog.DiscardHandler), Progress: func(string) func() { return func() {} }}
}

// watchFiles makes temporary files go to a directory of the test's own. The
// function that it returns complains about those that are left.
func watchFiles(t *testing.T) (check func()) {
	t.Helper()
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	return func() {
		t.Helper()
		left, err := os.ReadDir(dir)
		if err != nil || len(left) > 0 {
			t.Errorf("left behind: %v, %v", left, err)
		}
	}
}

func testStage(t *testing.T) *stage {
	t.Helper()
	check := watchFiles(t)
	s, err := open(testContext(t), testConfig())
	t.Cleanup(func() {
		if err := s.close(); err != nil {
			t.Error(err)
		}
		check()
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// plant sends a datagram to the wire, and so to the relay.
func plant(t *testing.T, to netip.AddrPort, text string) {
	t.Helper()
	conn, err := net.Dial("udp", to.String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.Write([]byte("xx" + text + "xx")); err != nil {
		t.Fatal(err)
	}
}
