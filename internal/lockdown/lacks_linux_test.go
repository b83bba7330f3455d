package lockdown

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What a kernel or a container does not have is refused with a sentence that says what to do, or named.
func TestKernelLacks(t *testing.T) {
	path := childBinary(t)
	for _, lack := range []struct {
		name    string
		outer   map[string][]string
		control string
		want    []string
	}{
		{"no Landlock", map[string][]string{"ENOSYS": {"landlock_create_ruleset"}}, Landlock, []string{"this kernel has no Landlock", "use Linux 5.13"}},
		{"Landlock off", map[string][]string{"EOPNOTSUPP": {"landlock_create_ruleset"}}, Landlock, []string{"Landlock switched off", "lsm="}},
		{"Landlock filtered", map[string][]string{"EPERM": {"landlock_create_ruleset"}}, Landlock, []string{"@sandbox"}},
		{"half of Landlock", map[string][]string{"EPERM": {"landlock_restrict_self"}}, Landlock, []string{"Landlock (ABI"}},
		{"limits fixed", map[string][]string{"EPERM": {"prlimit64"}}, FileSizeZero, []string{"prlimit64"}},
	} {
		t.Run(lack.name, func(t *testing.T) {
			c := start(t, path, users()[0], order{Mode: Require, Outer: lack.outer})
			for _, want := range append(lack.want, lack.control+" is not in force") {
				if !strings.Contains(c.Err, want) {
					t.Errorf("%q lacks %q", c.Err, want)
				}
			}
			c = start(t, path, users()[0], order{Mode: Prefer, Outer: lack.outer})
			if c.Err != "" {
				t.Fatal(c.Err)
			}
			if got := inForce(t, c.Controls, lack.control); got.InForce {
				t.Errorf("%+v", got)
			}
			if got := inForce(t, c.Controls, Seccomp); !got.InForce {
				t.Errorf("the others are put in force nevertheless: %+v", got)
			}
			c.load(t)
		})
	}
}

// Around the lockdown, systemd or a container may filter too, with errnos of their own.
func TestUnderFilter(t *testing.T) {
	path := childBinary(t)
	for _, as := range users() {
		t.Run(as.name, func(t *testing.T) {
			c := start(t, path, as, order{Mode: Require, Outer: map[string][]string{
				"EPERM":  {"ptrace", "io_uring_setup", "io_uring_enter", "openat2", "unshare", "mount", "bpf"},
				"ENOSYS": {"process_vm_readv", "clone3"},
				"EACCES": {"execve"},
			}})
			holds(t, c, as, Needs{})
		})
	}
}

// A log that would go silent is refused; preferred, the limit on files is what is left out.
func TestLogIsFile(t *testing.T) {
	path := childBinary(t)
	for mode, wantErr := range map[Mode]bool{Require: true, Prefer: false} {
		file, err := os.Create(filepath.Join(publicDir(t, 0), "log"))
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		cmd := command(t, path, users()[0], order{Do: "serve", Mode: mode, Dir: publicDir(t, 0)})
		cmd.Stderr = file
		var g greeting
		answerOf(t, cmd, &g)
		if wantErr != strings.Contains(g.Err, `stderr is a regular file, and under the lockdown nothing can be written to one: pipe it instead`) {
			t.Errorf("%s: %q", mode, g.Err)
		}
		if mode == Prefer {
			if got := inForce(t, g.Controls, FileSizeZero); got.InForce {
				t.Errorf("%+v", got)
			}
			if len(g.Warnings) != 1 {
				t.Errorf("warnings: %q", g.Warnings)
			}
		}
	}
}
