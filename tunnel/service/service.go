package service

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/lethe-relay/lethe/internal/splice"
)

// Names of the built-in services. A configuration cannot take them.
const (
	NameUnpair = "unpair"
	NameStatus = "status"
	NameManage = "manage"
	// NamePersonal shows everybody what is held about him: every grant has it.
	NamePersonal = "personal"
	// NameForget has it erased. Every grant has it, and whoever has the key may use
	// it wherever he is.
	NameForget = "forget"
)

// maxName is the longest name of a service, in bytes.
const maxName = 32

// nameAlphabet is what a name is made of.
const nameAlphabet = "abcdefghijklmnopqrstuvwxyz0123456789-"

// Service is one service of the router's configuration.
type Service struct {
	Name   string // see [ValidName]
	Target Target
}

// Validate checks a service as it comes from a configuration: it has a valid name that no built-in has, and a target.
func (s Service) Validate() error {
	if err := ValidName(s.Name); err != nil {
		return err
	}
	if BuiltIn(s.Name) {
		return fmt.Errorf("service name %q is taken by a built-in service: choose another name", s.Name)
	}
	if s.Target == (Target{}) {
		return fmt.Errorf("service %q has no target: give it one, such as tcp:127.0.0.1:80 or unix:/run/app.sock", s.Name)
	}
	return nil
}

// Dial connects to the service's target, as [Target.Dial] does, and names the service in a [*DownError].
func (s Service) Dial(ctx context.Context) (splice.Conn, error) {
	conn, err := s.Target.Dial(ctx)
	var down *DownError
	if errors.As(err, &down) {
		down.Service = s.Name
	}
	return conn, err
}

// BuiltIn reports whether the agent answers for this name itself.
func BuiltIn(name string) bool {
	return name == NameUnpair || name == NameStatus || name == NameManage || name == NamePersonal || name == NameForget
}

// ValidName checks that name can name a service, built-in or configured: 1 to 32 characters from a-z, 0-9 and "-".
// It does not start with "-", so that it cannot be taken for an option on a command line.
func ValidName(name string) error {
	switch {
	case name == "":
		return errors.New("a service has no name: give it one of 1 to 32 characters from a-z, 0-9 and -")
	case len(name) > maxName:
		return fmt.Errorf("service name %.40q is too long: use at most %d characters", name, maxName)
	case name[0] == '-' || strings.Trim(name, nameAlphabet) != "":
		return fmt.Errorf("service name %q is not valid: use characters from a-z, 0-9 and -, the first not -", name)
	}
	return nil
}
