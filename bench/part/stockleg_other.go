//go:build !linux

package part

import (
	"errors"
	"net"

	"github.com/lethe-relay/lethe/internal/udpio"
)

func plainSocket(*udpio.Conn) (*net.UDPConn, error) { return nil, errors.ErrUnsupported }
