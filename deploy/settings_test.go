package deploy

import (
	"context"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/goccy/go-yaml"

	"github.com/lethe-relay/lethe/internal/hostcheck"
)

// TestSettingsAreWhatTheDoctorAsksFor: a kernel that has the settings gives it nothing to find.
func TestSettingsAreWhatTheDoctorAsksFor(t *testing.T) {
	files := fstest.MapFS{"proc/cmdline": {}, "proc/sys/kernel/ostype": {Data: []byte("Linux")}}
	for line := range strings.Lines(read(t, "sysctl.d/60-lethe.conf")) {
		if line = strings.TrimSpace(line); line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		name, value, found := strings.Cut(strings.TrimPrefix(line, "-"), " = ")
		if !found {
			t.Fatalf("%q is no setting", line)
		}
		files["proc/sys/"+strings.ReplaceAll(name, ".", "/")] = &fstest.MapFile{Data: []byte(value + "\n")}
	}
	report := hostcheck.Run(context.Background(), &hostcheck.Host{Root: files, Kernel: hostcheck.ThisKernel{}})
	for _, check := range []string{"core_pattern", "suid_dumpable", "perf", "ptrace", "socket_buffers"} {
		if !slices.Contains(report.Good, check) {
			t.Errorf("%s is not good with these settings: %+v", check, report)
		}
	}
}

// TestConnectionsAreNotTracked: the kernel takes the rules.
func TestConnectionsAreNotTracked(t *testing.T) {
	nft, unshare := tool(t, "nft"), tool(t, "unshare")
	out, err := exec.Command(unshare, "--net", nft, "--file", "nftables/lethe.nft").CombinedOutput()
	if strings.Contains(string(out), "Operation not permitted") {
		t.Skip("only root can try rules, in a network of its own")
	}
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestManifests: each way of running the relay in a container closes what it can.
func TestManifests(t *testing.T) {
	var compose struct {
		Services struct {
			Relay struct {
				User        string
				ReadOnly    bool     `yaml:"read_only"`
				CapDrop     []string `yaml:"cap_drop"`
				SecurityOpt []string `yaml:"security_opt"`
				MemLimit    string   `yaml:"mem_limit"`
				SwapLimit   string   `yaml:"memswap_limit"`
				Ulimits     map[string]int
				Logging     struct{ Driver string }
			}
		}
	}
	if err := yaml.Unmarshal([]byte(read(t, "container/compose.yaml")), &compose); err != nil {
		t.Fatal(err)
	}
	if c := compose.Services.Relay; c.User == "" || !c.ReadOnly || !slices.Contains(c.CapDrop, "ALL") || !slices.Contains(c.SecurityOpt, "no-new-privileges:true") ||
		c.MemLimit == "" || c.MemLimit != c.SwapLimit || c.Ulimits["memlock"] != -1 || c.Logging.Driver != "none" {
		t.Errorf("compose.yaml: %+v", c)
	}

	var deployment struct {
		Spec struct{ Template struct{ Spec pod } }
	}
	if err := yaml.Unmarshal([]byte(read(t, "kubernetes/relay.yaml")), &deployment); err != nil {
		t.Fatal(err)
	}
	p := deployment.Spec.Template.Spec
	if !p.Security.NonRoot || p.Security.Seccomp.Type != "RuntimeDefault" {
		t.Errorf("kubernetes: %+v", p.Security)
	}
	containers := append(p.Init, p.Containers...)
	for _, c := range containers {
		if s := c.Security; s.Escalation == nil || *s.Escalation || !s.ReadOnly || !slices.Equal(s.Capabilities.Drop, []string{"ALL"}) || s.Capabilities.Add != nil {
			t.Errorf("kubernetes: %+v", s)
		}
	}
	if len(containers) != 2 {
		t.Errorf("kubernetes: %d containers", len(containers))
	}
}

// pod is the part of a Kubernetes pod that closes it.
type pod struct {
	Security struct {
		NonRoot bool                  `yaml:"runAsNonRoot"`
		Seccomp struct{ Type string } `yaml:"seccompProfile"`
	} `yaml:"securityContext"`
	Init       []podContainer `yaml:"initContainers"`
	Containers []podContainer
}

type podContainer struct {
	Security struct {
		Escalation   *bool `yaml:"allowPrivilegeEscalation"`
		ReadOnly     bool  `yaml:"readOnlyRootFilesystem"`
		Capabilities struct{ Drop, Add []string }
	} `yaml:"securityContext"`
}

// TestSameFlags: the quadlet, and the commands in README.md, say the same.
func TestSameFlags(t *testing.T) {
	for file, wanted := range map[string][]string{
		"container/README.md":             {"--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges", "--ulimit=memlock=-1", "--ulimit=core=0", "--memory=1g --memory-swap=1g", "--log-driver=none"},
		"container/lethe-relay.container": {"ReadOnly=true", "DropCapability=ALL", "NoNewPrivileges=true", "Ulimit=memlock=-1:-1", "Ulimit=core=0:0", "--memory=1g --memory-swap=1g", "LogDriver=none", "User=65532"},
		"container/Containerfile":         {"FROM scratch", "CGO_ENABLED=0", "USER 65532:65532"},
	} {
		text := read(t, file)
		for _, flag := range wanted {
			if !strings.Contains(text, flag) {
				t.Errorf("%s does not say %s", file, flag)
			}
		}
	}
}
