//go:build !linux

package yardstick

import (
	"errors"
	"time"
)

func threadCPU() (time.Duration, error) { return 0, errors.ErrUnsupported }
