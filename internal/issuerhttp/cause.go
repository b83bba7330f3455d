package issuerhttp

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"syscall"
)

// ErrPaused is for clients that ask only so often.
var ErrPaused = errors.New("it was asked for its keys a moment ago")

// Cause is why an issuer could not be asked. Its text holds no address, and nothing
// of what the issuer said.
type Cause uint8

// The causes. What is not one of the others is CauseAnswer.
const (
	CauseAnswer Cause = iota
	CauseTimeout
	CauseNoHost
	CauseNames
	CauseRefused
	CauseUnreachable
	CauseForbidden
	CauseConnection
	CauseCertificate
	CauseInsecure
	CauseInside
	CauseRedirect
	CausePaused
	causes // how many there are
)

// String is the end of a sentence that says that the issuer can't be asked.
func (c Cause) String() string {
	return [causes]string{
		CauseAnswer:      "its answer is not an OpenID issuer's, is another's, or is too long",
		CauseTimeout:     "it does not answer in time",
		CauseNoHost:      "no such host",
		CauseNames:       "its name can't be resolved",
		CauseRefused:     "connection refused",
		CauseUnreachable: "its network can't be reached",
		CauseForbidden:   "this machine lets nobody connect there",
		CauseConnection:  "the connection failed",
		CauseCertificate: "this machine does not trust its certificate",
		CauseInsecure:    ErrInsecure.Error(),
		CauseInside:      ErrInside.Error(),
		CauseRedirect:    ErrRedirect.Error(),
		CausePaused:      ErrPaused.Error(),
	}[c]
}

// CauseOf says why an issuer could not be asked.
func CauseOf(err error) Cause {
	var dns *net.DNSError
	var call syscall.Errno
	var timeout interface{ Timeout() bool }
	var cert *tls.CertificateVerificationError
	switch {
	case errors.As(err, &timeout) && timeout.Timeout(), errors.Is(err, context.Canceled):
		return CauseTimeout
	case errors.As(err, &dns) && dns.IsNotFound:
		return CauseNoHost
	case dns != nil:
		return CauseNames
	case errors.As(err, &call):
		return causeOfCall(call)
	case errors.As(err, &cert):
		return CauseCertificate
	}
	for cause, plain := range map[Cause]error{
		CauseInsecure: ErrInsecure, CauseInside: ErrInside, CauseRedirect: ErrRedirect, CausePaused: ErrPaused,
	} {
		if errors.Is(err, plain) {
			return cause
		}
	}
	return CauseAnswer
}

func causeOfCall(call syscall.Errno) Cause {
	switch call {
	case syscall.ECONNREFUSED:
		return CauseRefused
	case syscall.ENETUNREACH, syscall.EHOSTUNREACH:
		return CauseUnreachable
	case syscall.EPERM, syscall.EACCES: // a firewall, or a lockdown without this port
		return CauseForbidden
	}
	return CauseConnection
}
