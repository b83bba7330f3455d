//go:build !linux

package server

import (
	"os"
	"syscall"
)

func dieWithParent() *syscall.SysProcAttr { return nil }

func interrupt(p *os.Process) { p.Kill() }
