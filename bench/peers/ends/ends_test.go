package ends

import (
	"context"
	"encoding/json"
	"maps"
	"net"
	"strconv"
	"testing"
	"time"

	"github.com/lethe-relay/lethe/bench/peers/server"
	"github.com/lethe-relay/lethe/bench/proc"
)

const (
	user     = "bench"
	password = "bench"
	deadline = 20 * time.Second
)

// ask sends a request to a part that runs in this process.
func ask[T any](t *testing.T, p proc.Part, do string, args any) (answer T) {
	t.Helper()
	answer, err := tryAsk[T](t.Context(), p, do, args)
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

func tryAsk[T any](ctx context.Context, p proc.Part, do string, args any) (answer T, err error) {
	raw, err := json.Marshal(args)
	if err != nil {
		return answer, err
	}
	value, err := p.Handlers[do](ctx, raw)
	if value != nil {
		answer = value.(T)
	}
	return answer, err
}

// freePort is an address that nobody listens on.
func freePort(t *testing.T, network string) string {
	t.Helper()
	if network == "tcp" {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		return l.Addr().String()
	}
	c, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	return c.LocalAddr().String()
}

// start has a server's part start it, until the test ends.
func start(t *testing.T, part string, config any) {
	t.Helper()
	p := server.Parts()[part]()
	t.Cleanup(p.Close)
	ask[server.Running](t, p, server.Start, config)
}

func startPion(t *testing.T) Config {
	address := freePort(t, "udp4")
	start(t, server.PionPart, server.PionConfig{Listen: address, User: user, Password: password})
	return Config{Relay: address, User: user, Password: password}
}

func startCoturn(t *testing.T) Config {
	address := freePort(t, "udp4")
	c, err := server.Coturn(address, user, password)
	startProgram(t, c, err)
	return Config{Relay: address, User: user, Password: password}
}

func startStrelaysrv(t *testing.T) Config {
	address := freePort(t, "tcp")
	c, err := server.Strelaysrv(address, t.TempDir())
	startProgram(t, c, err)
	return Config{Relay: address}
}

func startDerper(t *testing.T) Config {
	address := freePort(t, "tcp")
	c, err := server.Derper(address, t.TempDir())
	startProgram(t, c, err)
	return Config{Relay: address}
}

// startProgram starts a program, or skips the test without it.
func startProgram(t *testing.T, c server.ProgramConfig, err error) {
	t.Helper()
	if err != nil {
		t.Skip(err)
	}
	start(t, server.ProgramPart, c)
}

// streams are the relays of streams, and none at all.
var streams = map[string]struct {
	kind   Kind
	window int
	from   func(*testing.T) Config
}{
	"no relay":   {TCP, 0, func(*testing.T) Config { return Config{} }},
	"strelaysrv": {Strelay, 0, startStrelaysrv},
	"derper":     {DERP, 1 << 20, startDerper},
}

func TestStream(t *testing.T) {
	for name, of := range streams {
		t.Run(name, func(t *testing.T) {
			p := opened(t, of.kind, of.from(t))
			ask[any](t, p, Load, Work{Window: of.window})
			until(t, p, func(m Moved) bool { return m.Received > 10*contentBytes })
		})
	}
}

func TestProbe(t *testing.T) {
	all := maps.Clone(streams)
	maps.Copy(all, datagramRelays)
	for name, of := range all {
		t.Run(name, func(t *testing.T) {
			p := opened(t, of.kind, of.from(t))
			ask[any](t, p, Probe, struct{}{})
			m := until(t, p, func(m Moved) bool { return len(m.Delays) > 10 })
			for _, delay := range m.Delays {
				if delay <= 0 || delay > int64(deadline) {
					t.Fatalf("a delay of %d ns", delay)
				}
			}
		})
	}
}

func TestHold(t *testing.T) {
	for name, of := range map[string]struct {
		kind Kind
		from func(*testing.T) Config
	}{
		"pion": {TURNClients, startPion}, "coturn": {TURNClients, startCoturn},
		"strelaysrv": {Strelay, startStrelaysrv}, "derper": {DERP, startDerper},
	} {
		t.Run(name, func(t *testing.T) {
			p := opened(t, of.kind, of.from(t))
			ask[any](t, p, Hold, 10)
			ask[any](t, p, Hold, 10)
		})
	}
}

// opened is the part with its ends, until the test ends.
func opened(t *testing.T, kind Kind, c Config) proc.Part {
	t.Helper()
	c.Kind = kind
	p := New()
	t.Cleanup(p.Close)
	ask[any](t, p, Open, c)
	return p
}

// datagramRelays are the relays of datagrams, and none at all.
var datagramRelays = map[string]struct {
	kind   Kind
	window int
	from   func(*testing.T) Config
}{
	"without a relay": {UDP, 0, func(*testing.T) Config { return Config{} }},
	"pion, peer":      {TURNPeer, 0, startPion},
	"pion, clients":   {TURNClients, 0, startPion},
	"coturn, peer":    {TURNPeer, 0, startCoturn},
	"coturn, clients": {TURNClients, 0, startCoturn},
}

func TestDatagrams(t *testing.T) {
	for name, of := range datagramRelays {
		for _, w := range []Work{{Sessions: 1, Run: 50, Window: 100}, {Sessions: 20, Run: 1, Window: 64}} {
			t.Run(name+" "+strconv.Itoa(w.Sessions), func(t *testing.T) {
				p := opened(t, of.kind, of.from(t))
				ask[any](t, p, Load, w)
				moved := until(t, p, func(m Moved) bool { return m.Least > 100 })
				if moved.Received != 1200*moved.Datagrams {
					t.Errorf("%+v", moved)
				}
			})
		}
	}
}

func until(t *testing.T, p proc.Part, enough func(Moved) bool) Moved {
	t.Helper()
	for end := time.Now().Add(deadline); ; {
		m := ask[Moved](t, p, Progress, struct{}{})
		if enough(m) {
			return m
		}
		if time.Now().After(end) {
			t.Fatalf("not within %v: %+v", deadline, m)
		}
	}
}
