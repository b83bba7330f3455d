package server

import (
	"context"
	"errors"
	"net"

	"github.com/pion/logging"
	"github.com/pion/turn/v5"

	"github.com/lethe-relay/lethe/bench/proc"
)

const (
	pionBuffer = 8 << 20 // bytes of kernel buffer asked for at each socket, as Lethe does at its own
	pionRealm  = "bench"
)

// PionConfig is what a server of the library is started with.
type PionConfig struct {
	Listen         string // ip:port
	User, Password string
}

// pion is the smallest server that the library makes.
type pion struct{ server *turn.Server }

func newPion() proc.Part {
	p := &pion{}
	return proc.Part{
		Handlers: map[string]proc.Handler{Start: proc.Handle(p.start)},
		Close: func() {
			if p.server != nil {
				p.server.Close()
			}
		},
	}
}

func (p *pion) start(_ context.Context, c PionConfig) (any, error) {
	conn, err := net.ListenPacket("udp4", c.Listen)
	if err != nil {
		return nil, err
	}
	if err := conn.(*net.UDPConn).SetReadBuffer(pionBuffer); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	ip := conn.LocalAddr().(*net.UDPAddr).IP
	silent := logging.NewDefaultLoggerFactory()
	silent.DefaultLogLevel = logging.LogLevelDisabled
	p.server, err = turn.NewServer(turn.ServerConfig{
		Realm:         pionRealm,
		LoggerFactory: silent,
		AuthHandler: func(asked *turn.RequestAttributes) (userID string, key []byte, ok bool) {
			return c.User, turn.GenerateAuthKey(c.User, asked.Realm, c.Password), asked.Username == c.User
		},
		PacketConnConfigs: []turn.PacketConnConfig{{
			PacketConn:            conn,
			RelayAddressGenerator: roomy{&turn.RelayAddressGeneratorStatic{RelayAddress: ip, Address: ip.String()}},
		}},
	})
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return here(), nil
}

// roomy gives relayed addresses larger buffers than the system's default.
type roomy struct {
	*turn.RelayAddressGeneratorStatic
}

// AllocatePacketConn implements [turn.RelayAddressGenerator].
func (r roomy) AllocatePacketConn(c turn.AllocateListenerConfig) (net.PacketConn, net.Addr, error) {
	conn, addr, err := r.RelayAddressGeneratorStatic.AllocatePacketConn(c)
	if err != nil {
		return nil, nil, err
	}
	if buffered, ok := conn.(interface{ SetReadBuffer(int) error }); ok {
		err = buffered.SetReadBuffer(pionBuffer)
	}
	return conn, addr, err
}
