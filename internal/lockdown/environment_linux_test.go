package lockdown

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A program is executed anew in the same process, with its arguments, and without what others have left open.
func TestEnvironment(t *testing.T) {
	path := childBinary(t)
	stray, err := os.Create(filepath.Join(t.TempDir(), "stray"))
	if err != nil {
		t.Fatal(err)
	}
	defer stray.Close()
	for _, as := range users() {
		for _, fit := range []bool{false, true} { // if it is, nothing is executed, and the stray is closed all the same
			cmd := command(t, path, as, order{Do: "environment", Mode: Require})
			cmd.Args = append(cmd.Args, "first", "second argument")
			cmd.ExtraFiles = []*os.File{stray, stray}
			if fit {
				cmd.Env = fitEnvironment(cmd.Env)
			}
			var got surroundings
			answerOf(t, cmd, &got)
			if got.PID != cmd.Process.Pid || !slices.Equal(got.Args, cmd.Args) || got.Name != "child" {
				t.Errorf("%s: %+v, not process %d with %q", as.name, got, cmd.Process.Pid, cmd.Args)
			}
			if got.Traceback != "none" || !strings.Contains(got.Debug, clobberFree) || !strings.Contains(got.Debug, pureGo) {
				t.Errorf("%s: %+v", as.name, got)
			}
			if len(got.Descriptors) != 0 {
				t.Errorf("%s: left open: %q", as.name, got.Descriptors)
			}
		}
	}
}

// Nothing here takes the sockets of socket activation: they are closed as all strays are.
func TestEnvironmentActivated(t *testing.T) {
	if _, err := exec.LookPath("sh"); err != nil {
		t.Skip("there is no sh")
	}
	cmd := command(t, "/bin/sh", users()[0], order{Do: "environment", Mode: Require})
	cmd.Args = []string{"sh", "-c", `LISTEN_PID=$$ LISTEN_FDS=1 exec "$0"`, childBinary(t)}
	given, err := os.Create(filepath.Join(t.TempDir(), "given"))
	if err != nil {
		t.Fatal(err)
	}
	defer given.Close()
	cmd.ExtraFiles = []*os.File{given}
	var got surroundings
	answerOf(t, cmd, &got)
	if len(got.Descriptors) != 0 {
		t.Errorf("open are %q", got.Descriptors)
	}
}

// What can't go with a lockdown is refused, preferred it is a warning, and with the lockdown off nobody minds.
func TestEnvironmentObjects(t *testing.T) {
	path := childBinary(t)
	for _, mode := range []Mode{Require, Prefer, Off} {
		cmd := command(t, path, users()[0], order{Do: "environment", Mode: mode})
		cmd.Env = append(cmd.Env, "SSLKEYLOGFILE=/tmp/keys")
		var said bytes.Buffer
		cmd.Stderr = &said
		out, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		var refused greeting
		var got surroundings
		if err := json.Unmarshal(out, &refused); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(out, &got); err != nil {
			t.Fatal(err)
		}
		const sentence = "the variable SSLKEYLOGFILE is set"
		if strings.Contains(refused.Err, sentence) != (mode == Require) {
			t.Errorf("%s: %s", mode, out)
		}
		if warned := strings.Count(said.String(), sentence); (warned == 1) != (mode == Prefer) || warned > 1 {
			t.Errorf("%s: it says %q", mode, &said)
		}
		if got.Keys != (mode == Off) {
			t.Errorf("%s: with SSLKEYLOGFILE: %t", mode, got.Keys)
		}
		if executed := got.Traceback == "none"; executed != (mode == Prefer) {
			t.Errorf("%s: %s", mode, out)
		}
	}
}
