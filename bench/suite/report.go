package suite

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"
)

// Result is what became of a scenario.
type Result struct {
	Name  string       `json:"name"`
	Lines []LineResult `json:"lines"`
	Bars  []Verdict    `json:"bars"`

	scenario Scenario
}

// LineResult is what became of a line.
type LineResult struct {
	Name   string            `json:"name"`
	Median Sample            `json:"median"`
	Spread map[string]Spread `json:"spread"`
	Rounds []Sample          `json:"rounds"`
}

// Pass tells whether all bars are reached.
func (r *Result) Pass() bool {
	for _, bar := range r.Bars {
		if !bar.Pass {
			return false
		}
	}
	return true
}

// Report is the JSON file of a run.
type Report struct {
	Commit    string    `json:"commit"`   // empty outside of a repository
	Modified  bool      `json:"modified"` // there was more than the commit
	Time      time.Time `json:"time"`
	Kernel    string    `json:"kernel"`
	Go        string    `json:"go"`
	System    string    `json:"system"`
	CPUs      int       `json:"cpus"`
	CPUModel  string    `json:"cpu_model"`
	Flags     []string  `json:"flags"`
	Scenarios []*Result `json:"scenarios"`
}

// NewReport describes this machine and this source tree. flags are the
// program's arguments.
func NewReport(flags []string) *Report {
	return &Report{
		Commit:   output("git", "rev-parse", "HEAD"),
		Modified: output("git", "status", "--porcelain") != "",
		Time:     time.Now().UTC().Truncate(time.Second),
		Kernel:   output("uname", "-r"),
		Go:       runtime.Version(),
		System:   runtime.GOOS + "/" + runtime.GOARCH,
		CPUs:     runtime.NumCPU(),
		CPUModel: cpuModel(),
		Flags:    flags,
	}
}

// WriteFile writes the report as JSON.
func (r *Report) WriteFile(path string) error {
	data, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(data, '\n'), 0o644)
}

// output is what a command prints, or nothing when it fails.
func output(name string, args ...string) string {
	out, err := exec.Command(name, args...).Output()
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(out))
}

// cpuModel is the first model that Linux names, or nothing.
func cpuModel() string {
	info, _ := os.ReadFile("/proc/cpuinfo")
	for line := range bytes.Lines(info) {
		key, value, _ := strings.Cut(string(line), ":")
		if strings.TrimSpace(key) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return ""
}
