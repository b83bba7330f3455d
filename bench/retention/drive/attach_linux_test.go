package drive

import (
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestIdentify: a process is audited only if it is the relay. This test is the relay here.
func TestIdentify(t *testing.T) {
	stream, err := net.Listen("unix", filepath.Join(t.TempDir(), "admin.sock"))
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Close()
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer tcp.Close()
	udp, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer udp.Close()

	other := exec.Command("cat") // it waits for us
	in, err := other.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Start(); err != nil {
		t.Fatal(err)
	}
	defer other.Wait()
	defer in.Close()
	gone := exec.Command("true")
	if err := gone.Run(); err != nil {
		t.Fatal(err)
	}

	bound, nobodys := netip.MustParseAddrPort(udp.LocalAddr().String()), netip.MustParseAddrPort("127.0.0.1:9")
	unixAdmin, tcpAdmin, noAdmin := Admin{Socket: stream.Addr().String()}, Admin{Addr: tcp.Addr().String()}, Admin{Socket: "/nobody/listens"}
	for name, c := range map[string]struct {
		relay Relay
		want  string
	}{
		"its admin socket": {Relay{PID: os.Getpid(), Addr: nobodys, Admin: unixAdmin}, ""},
		"its admin port":   {Relay{PID: os.Getpid(), Addr: nobodys, Admin: tcpAdmin}, ""},
		"its UDP port":     {Relay{PID: os.Getpid(), Addr: bound, Admin: noAdmin}, ""},
		"none of them":     {Relay{PID: os.Getpid(), Addr: nobodys, Admin: noAdmin}, "is not the relay"},
		"another, unix":    {Relay{PID: other.Process.Pid, Addr: bound, Admin: unixAdmin}, "is not the relay"},
		"another, TCP":     {Relay{PID: other.Process.Pid, Addr: bound, Admin: tcpAdmin}, "is not the relay"},
		"one that ended":   {Relay{PID: gone.Process.Pid, Addr: bound, Admin: unixAdmin}, "there is no process"},
	} {
		t.Run(name, func(t *testing.T) {
			err := c.relay.identify(t.Context())
			if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
			if c.want == "" {
				return
			}
			if _, err := Audit(t.Context(), Options{Attach: &c.relay}); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("the audit begins all the same: %v", err)
			}
		})
	}
}
