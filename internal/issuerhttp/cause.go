package issuerhttp

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"os"
)

// ErrPaused is for clients that ask only so often.
var ErrPaused = errors.New("it was asked for its keys a moment ago")

// Cause says why an issuer could not be asked, without its address or what it said.
func Cause(err error) string {
	var dns *net.DNSError
	var call *os.SyscallError
	var timeout interface{ Timeout() bool }
	var cert *tls.CertificateVerificationError
	switch {
	case errors.As(err, &timeout) && timeout.Timeout(), errors.Is(err, context.Canceled):
		return "it does not answer in time"
	case errors.As(err, &dns):
		return dns.Err
	case errors.As(err, &call):
		return call.Err.Error()
	case errors.As(err, &cert):
		return "this machine does not trust its certificate"
	}
	for _, plain := range []error{ErrInsecure, ErrInside, ErrRedirect, ErrPaused} {
		if errors.Is(err, plain) {
			return plain.Error()
		}
	}
	return "its answer is not an OpenID issuer's, is another's, or is too long"
}
