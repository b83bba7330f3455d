package service

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"syscall"
)

// DownError says that a service cannot be reached now. The device did nothing wrong and may try again later.
type DownError struct {
	Service string // name; empty when a bare Target was dialled
	Target  Target
	Err     error // what the attempt to connect met
}

// Error says what is down, why, and what to check.
func (e *DownError) Error() string {
	subject := "the service"
	if e.Service != "" {
		subject = fmt.Sprintf("service %q", e.Service)
	}
	return fmt.Sprintf("%s is down: can't connect to %s on the router (%s); check %s",
		subject, e.Target, reason(e.Err), advice(e.Err))
}

// Unwrap gives access to what the attempt to connect met.
func (e *DownError) Unwrap() error { return e.Err }

// reason is err without the addresses and system calls that the net package puts around it: the sentence names the
// target already.
func reason(err error) string {
	var dns *net.DNSError
	var call *os.SyscallError
	switch {
	case timedOut(err):
		return "no answer in time"
	case errors.As(err, &dns):
		return dns.Err
	case errors.As(err, &call):
		return call.Err.Error()
	default:
		return err.Error()
	}
}

// advice completes "check …".
func advice(err error) string {
	var dns *net.DNSError
	switch {
	case errors.As(err, &dns):
		return "the host name in its target, and the router's DNS"
	case errors.Is(err, fs.ErrPermission):
		return "that the agent's user may open that socket"
	case errors.Is(err, fs.ErrNotExist):
		return "that the program that makes that socket runs, and the path in its target"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "that the program behind it runs and listens there"
	default:
		return "that the host in its target is up and that no firewall is in between"
	}
}

// timedOut tells a silent target from one that refuses.
func timedOut(err error) bool {
	var netErr net.Error
	return errors.Is(err, context.DeadlineExceeded) || errors.As(err, &netErr) && netErr.Timeout()
}
