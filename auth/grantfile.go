package auth

import (
	"bytes"
	"encoding/base64"
	"fmt"

	"golang.org/x/crypto/ssh"
)

// GrantFile returns the line to store a grant as, in a file named *-cert.pub:
// the form of OpenSSH, which `ssh-keygen -L -f FILE` prints. raw is what
// [Issue] returned.
func GrantFile(raw []byte) []byte {
	return fmt.Appendf(nil, "%s %s\n", ssh.CertAlgoED25519v01, base64.StdEncoding.EncodeToString(raw))
}

// ParseGrantFile is the inverse of [GrantFile]; a comment after the grant, as
// ssh-keygen writes it, is ignored. It returns the wire format, which
// [ParseGrant] or [Verify] have yet to check. Errors wrap [ErrGrantMalformed].
func ParseGrantFile(data []byte) ([]byte, error) {
	if len(data) > 2*MaxGrantSize {
		return nil, malformed("the file is too large to hold one")
	}
	line := bytes.TrimSpace(data)
	fields := bytes.Fields(line)
	if len(fields) < 2 || bytes.ContainsAny(line, "\r\n") {
		return nil, malformed("the file must hold one line: a type and a certificate in base64")
	}
	if string(fields[0]) != ssh.CertAlgoED25519v01 {
		return nil, malformed("the file is not an Ed25519 certificate")
	}
	raw, err := base64.StdEncoding.Strict().AppendDecode(nil, fields[1])
	if err != nil {
		return nil, malformed("the base64 in the file is damaged")
	}
	return raw, nil
}
