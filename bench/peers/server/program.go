package server

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"time"

	"github.com/lethe-relay/lethe/bench/proc"
)

const endTimeout = 2 * time.Second // from asking a program to end to killing it

// ProgramConfig is what a program is started with.
type ProgramConfig struct {
	Path string
	Args []string
	Dir  string // its working directory
	CPUs []int  // that it may use, and as many is its GOMAXPROCS; nil: all
}

// program keeps another program running.
type program struct {
	cmd   *exec.Cmd
	ended chan error
}

func newProgram() proc.Part {
	p := &program{}
	return proc.Part{
		Handlers: map[string]proc.Handler{Start: proc.Handle(p.start)},
		Close:    p.end,
	}
}

// start starts the program. What it prints is of no interest; whether it works,
// the first client will see.
func (p *program) start(_ context.Context, c ProgramConfig) (any, error) {
	if p.cmd != nil {
		return nil, errors.New("one program is running")
	}
	cmd := exec.Command(c.Path, c.Args...)
	cmd.Dir = c.Dir
	if c.CPUs != nil {
		cmd.Env = append(cmd.Environ(), "GOMAXPROCS="+strconv.Itoa(len(c.CPUs)))
	}
	cmd.SysProcAttr = dieWithParent()
	if err := proc.StartOn(c.CPUs, cmd.Start); err != nil {
		return nil, fmt.Errorf("start %s: %w", c.Path, err)
	}
	p.cmd, p.ended = cmd, make(chan error, 1)
	go func() { p.ended <- cmd.Wait() }()
	return Running{cmd.Process.Pid}, nil
}

func (p *program) end() {
	if p.cmd == nil {
		return
	}
	interrupt(p.cmd.Process)
	select {
	case <-p.ended:
	case <-time.After(endTimeout):
		p.cmd.Process.Kill()
		<-p.ended
	}
}
