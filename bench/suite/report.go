package suite

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

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
	Failed    string    `json:"failed,omitempty"` // what has failed, or has ended the run before its time
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

// ReadFile reads a report that WriteFile has written.
func ReadFile(path string) (*Report, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	r := new(Report)
	if err := json.Unmarshal(data, r); err != nil {
		return nil, fmt.Errorf("%s is no report: %w", path, err)
	}
	return r, nil
}

// WriteFile writes the report as JSON.
func (r *Report) WriteFile(path string) error {
	data, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(data, '\n'), 0o644)
}

// WriteTables writes the table of each scenario and, if there are several, which
// of all bars are not reached.
func (r *Report) WriteTables(w io.Writer) error {
	for i, result := range r.Scenarios {
		if i > 0 {
			fmt.Fprintln(w)
		}
		if err := result.WriteTable(w); err != nil {
			return err
		}
	}
	if len(r.Scenarios) < 2 {
		return nil
	}
	var bars, reached int
	var others strings.Builder
	for _, result := range r.Scenarios {
		if result.Failed != "" {
			fmt.Fprintf(&others, "FAIL  %s\n", result.Failed)
		}
		for _, v := range result.Bars {
			if bars++; v.Pass {
				reached++
			} else {
				fmt.Fprintf(&others, "%.4s  %s:%s\n", v, result.Name, v.String()[5:])
			}
		}
	}
	_, err := fmt.Fprintf(w, "\n%d of %d bars are reached\n%s", reached, bars, others.String())
	return err
}

// WritePNGs writes a picture of each scenario of which there are figures into
// the folder.
func (r *Report) WritePNGs(dir string) error {
	for _, result := range r.Scenarios {
		var img bytes.Buffer
		if err := result.WritePNG(&img, r.SmallPrint()); err != nil {
			return fmt.Errorf("%s: %w", result.Name, err)
		}
		if img.Len() == 0 {
			continue
		}
		if err := os.WriteFile(filepath.Join(dir, result.Name+".png"), img.Bytes(), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// SmallPrint says in a line or two of what and where the figures are.
func (r *Report) SmallPrint() string {
	commit := "no commit"
	if r.Commit != "" {
		commit = fmt.Sprintf("commit %.12s", r.Commit)
	}
	if r.Modified {
		commit += " with changes"
	}
	return fmt.Sprintf("%s, %s, %d × %s, kernel %s, %s, %s\nflags: %s", commit, r.Time.Format("2006-01-02"),
		r.CPUs, r.CPUModel, r.Kernel, r.Go, r.System, strings.Join(r.Flags, " "))
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
