package proc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"time"
)

const (
	askTimeout  = 2 * time.Minute // for any answer; the slowest is the opening of hundreds of tunnels at full load
	stopTimeout = 3 * time.Second // from closing a child's input to killing it
)

// Child is a process that plays one part. Not safe for concurrent use.
type Child struct {
	part    string
	cmd     *exec.Cmd
	stdin   io.WriteCloser
	encoder *json.Encoder
	decoder *json.Decoder
}

// Start starts a child. cpus are the processors that it may use, and as many
// is its GOMAXPROCS; nil stands for all. It is killed when ctx ends. The
// caller calls Stop.
func Start(ctx context.Context, part string, cpus []int) (*Child, error) {
	exe, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, exe, childWord, part)
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = ownGroup()
	if cpus != nil {
		cmd.Env = append(cmd.Environ(), "GOMAXPROCS="+strconv.Itoa(len(cpus)))
	}
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := StartOn(cpus, cmd.Start); err != nil {
		return nil, fmt.Errorf("start %s: %w", part, err)
	}
	return &Child{part: part, cmd: cmd, stdin: stdin, encoder: json.NewEncoder(stdin), decoder: json.NewDecoder(stdout)}, nil
}

// Part is the name of what the child does.
func (c *Child) Part() string { return c.part }

// Ask sends a request and reads the answer into value, unless that is nil.
func (c *Child) Ask(do string, args, value any) error {
	raw, err := json.Marshal(args)
	if err != nil {
		return err
	}
	timeout := time.AfterFunc(askTimeout, func() { c.cmd.Process.Kill() })
	defer timeout.Stop()
	var a answer
	if err := errors.Join(c.encoder.Encode(request{do, raw}), c.decoder.Decode(&a)); err != nil {
		return fmt.Errorf("%s: %s: the process ended or did not answer: %w", c.part, do, err)
	}
	if a.Error != "" {
		return fmt.Errorf("%s: %s: %s", c.part, do, a.Error)
	}
	if value == nil {
		return nil
	}
	return json.Unmarshal(a.Value, value)
}

// CPU is the processor time that the child has used so far, in user and kernel mode.
func (c *Child) CPU() (time.Duration, error) { return CPUTime(c.cmd.Process.Pid) }

// RealTime has the child's threads run as soon as they have something to do,
// before all of other programs, if the system permits: granted tells.
func (c *Child) RealTime() (granted bool, err error) { return RealTime(c.cmd.Process.Pid) }

// Resident is how many bytes of memory the child has in use.
func (c *Child) Resident() (int64, error) { return Resident(c.cmd.Process.Pid) }

// Kill ends the child at once, as a power cut does, and returns when it is gone.
func (c *Child) Kill() {
	if c.cmd.ProcessState != nil {
		return
	}
	c.cmd.Process.Kill()
	c.cmd.Wait()
}

// Freeze stops the child without ending it: it does nothing any more, and its
// sockets stay open. Only Kill ends it then.
func (c *Child) Freeze() error { return freeze(c.cmd.Process) }

// Stop ends the child and returns when it is gone. Calling it again does nothing.
func (c *Child) Stop() {
	if c.cmd.ProcessState != nil {
		return
	}
	c.stdin.Close()
	timeout := time.AfterFunc(stopTimeout, func() { c.cmd.Process.Kill() })
	defer timeout.Stop()
	c.cmd.Wait() // how it ended is of no interest: what it was asked for has been answered
}
