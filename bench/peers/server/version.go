package server

import (
	"context"
	"os/exec"
	"runtime/debug"
	"strings"
)

// Versions says what was measured, by the name of the relay, as far as it is here.
func Versions(ctx context.Context) map[string]string {
	versions := map[string]string{"pion/turn": moduleVersion("github.com/pion/turn/v5"), "derper": moduleVersion("tailscale.com")}
	for name, program := range map[string][]string{"coturn": {"turnserver", "--version"}, "strelaysrv": {"strelaysrv", "-version"}} {
		out, err := exec.CommandContext(ctx, program[0], program[1:]...).Output()
		if first, _, _ := strings.Cut(string(out), "\n"); err == nil {
			versions[name] = strings.TrimPrefix(strings.TrimSpace(first), name+" ")
		}
	}
	return versions
}

// moduleVersion is that of a module which this program is linked with. derper is
// built of the same one.
func moduleVersion(path string) string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	for _, m := range info.Deps {
		if m.Path == path {
			return m.Version
		}
	}
	return ""
}
