package server

import (
	"os"
	"syscall"
)

// dieWithParent has the kernel end a program whose keeper was killed.
func dieWithParent() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

func interrupt(p *os.Process) { p.Signal(syscall.SIGTERM) }
