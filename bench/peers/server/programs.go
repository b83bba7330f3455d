package server

import (
	"fmt"
	"net"
	"os/exec"
	"path/filepath"
	"strings"
)

// derperPackage is a tool of this module: go.mod says which version.
const derperPackage = "tailscale.com/cmd/derper"

// Coturn is coturn's program, with arguments for speed: UDP only, one listener, one
// relay thread, no log, no management. Clients have a long-term credential.
func Coturn(listen, user, password string) (ProgramConfig, error) {
	path, err := exec.LookPath("turnserver")
	if err != nil {
		return ProgramConfig{}, fmt.Errorf("install Debian's package coturn: %w", err)
	}
	host, port, err := net.SplitHostPort(listen)
	return ProgramConfig{Path: path, Args: []string{
		"-n", "--listening-ip", host, "--relay-ip", host, "--listening-port", port,
		"--lt-cred-mech", "--user", user + ":" + password, "--realm", "bench",
		"--no-tcp", "--no-tls", "--no-dtls", "--no-tcp-relay", "--no-cli", "--no-rfc5780", "--no-software-attribute",
		"--relay-threads", "1", "--allow-loopback-peers",
		"--log-file", "/dev/null", "--simple-log", "--no-stdout-log", "--pidfile", "/dev/null",
	}}, err
}

// Strelaysrv is the program of syncthing's relay, which joins no pool and keeps its
// key in the folder.
func Strelaysrv(listen, folder string) (ProgramConfig, error) {
	path, err := exec.LookPath("strelaysrv")
	if err != nil {
		return ProgramConfig{}, fmt.Errorf("install Debian's package syncthing-relaysrv: %w", err)
	}
	return ProgramConfig{Path: path, Dir: folder, Args: []string{
		"-listen", listen, "-protocol", "tcp4", "-pools", "", "-status-srv", "", "-keys", folder,
	}}, nil
}

// Derper is the program of tailscale's relay, built as go.mod pins it, without TLS and
// STUN, and with its key in the folder.
func Derper(listen, folder string) (ProgramConfig, error) {
	path, err := exec.Command("go", "tool", "-n", derperPackage).Output()
	if err != nil {
		return ProgramConfig{}, fmt.Errorf("go tool -n %s, in bench/peers: %w", derperPackage, err)
	}
	return ProgramConfig{Path: strings.TrimSpace(string(path)), Dir: folder, Args: []string{
		"-a", listen, "-http-port", "-1", "-stun=false", "-c", filepath.Join(folder, "derper.json"),
	}}, nil
}
