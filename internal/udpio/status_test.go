package udpio

import (
	"regexp"
	"syscall"
	"testing"
)

func TestStatusNamesAreDistinctLabels(t *testing.T) {
	label := regexp.MustCompile(`^[a-z]+(_[a-z]+)*$`)
	seen := map[string]SendStatus{}
	for s := Sent; s <= Failed; s++ {
		name := s.String()
		if other, dup := seen[name]; dup || !label.MatchString(name) || name == "unknown" {
			t.Errorf("status %d is named %q (also %d: %t)", s, name, other, dup)
		}
		seen[name] = s
	}
	if name := (Failed + 1).String(); name != "unknown" {
		t.Errorf("Failed is not the last status: there is %q", name)
	}
}

func TestStatusOf(t *testing.T) {
	for errno, want := range map[syscall.Errno]SendStatus{
		0:                    Sent,
		syscall.EMSGSIZE:     TooBig,
		syscall.ENOBUFS:      NoBuffer,
		syscall.ENETUNREACH:  Unreachable,
		syscall.EHOSTUNREACH: Unreachable,
		syscall.ECONNREFUSED: Unreachable,
		syscall.EPERM:        Unreachable,
		syscall.EINVAL:       Failed,
		syscall.EBADF:        Failed,
	} {
		if got := statusOf(errno); got != want {
			t.Errorf("statusOf(%v) = %v, want %v", errno, got, want)
		}
	}
}
