package main

import (
	"net"

	"github.com/lethe-relay/lethe/bench/peers/ends"
	"github.com/lethe-relay/lethe/bench/peers/server"
	"github.com/lethe-relay/lethe/bench/stage"
	"github.com/lethe-relay/lethe/bench/suite"
)

// Names of lines.
const (
	lethe         = "Lethe"
	coturnPeer    = "coturn, peer"
	coturnClients = "coturn, client to client"
	pionPeer      = "pion/turn, peer"
	pionClients   = "pion/turn, client to client"
	strelaysrv    = "strelaysrv"
	derper        = "derper"
	noneUDP       = "no relay, UDP"
	noneTCP       = "no relay, TCP"
)

// Whoever has these may use a TURN server that lives for a measurement.
const user, password = "bench", "bench"

// window is how much may be under way at once: about what the relay's buffers hold,
// so that it is measured and not the kernel's dropping. README.md of bench tells
// how these were found.
type window struct {
	bulk  int // datagrams in runs, or bytes of a stream; 0: as much as the system lets be
	swarm int // datagrams one by one
}

// line is a relay, in one way of using it.
type line struct {
	name   string
	kind   ends.Kind
	window window
	start  start
}

// start starts a relay on its processors. An error of the stage, if there is no
// other, is the caller's to see.
type start func(s *stage.Stage, env suite.Env, cpus []int) (relay, error)

// relay is one that runs, and how it is reached. pid is 0 where there is none.
type relay struct {
	pid    int
	config ends.Config
}

// lines are all that there are.
func lines() []line {
	return []line{
		{lethe, ends.Lethe, window{3000, 2000}, startLethe},
		{coturnPeer, ends.TURNPeer, window{400, 256}, startCoturn},
		{coturnClients, ends.TURNClients, window{212, 512}, startCoturn},
		{pionPeer, ends.TURNPeer, window{800, 512}, startPion},
		{pionClients, ends.TURNClients, window{800, 512}, startPion},
		{strelaysrv, ends.Strelay, window{}, startStrelaysrv},
		{derper, ends.DERP, window{bulk: 1 << 20}, startDerper},
		{noneUDP, ends.UDP, window{}, startNone},
		{noneTCP, ends.TCP, window{}, startNone},
	}
}

func startLethe(s *stage.Stage, env suite.Env, cpus []int) (relay, error) {
	child, url := s.StartRelay(env, cpus)
	router := s.NewRouter()
	device := s.NewDevice(router, nil)
	var running server.Running
	s.Ask(child, server.PID, struct{}{}, &running)
	return relay{running.PID, ends.Config{Relay: url, Router: router.PEM, Device: device.PEM, Grant: device.Grant}}, nil
}

func startPion(s *stage.Stage, _ suite.Env, cpus []int) (relay, error) {
	listen, err := freeAddress()
	if err != nil {
		return relay{}, err
	}
	var running server.Running
	s.Ask(s.Start("relay", server.PionPart, cpus), server.Start, server.PionConfig{Listen: listen, User: user, Password: password}, &running)
	return relay{running.PID, ends.Config{Relay: listen, User: user, Password: password}}, nil
}

func startCoturn(s *stage.Stage, _ suite.Env, cpus []int) (relay, error) {
	return startProgram(s, cpus, func(listen string) (server.ProgramConfig, error) {
		return server.Coturn(listen, user, password)
	})
}

func startStrelaysrv(s *stage.Stage, env suite.Env, cpus []int) (relay, error) {
	return startProgram(s, cpus, func(listen string) (server.ProgramConfig, error) {
		return server.Strelaysrv(listen, env.Scratch)
	})
}

func startDerper(s *stage.Stage, env suite.Env, cpus []int) (relay, error) {
	return startProgram(s, cpus, func(listen string) (server.ProgramConfig, error) {
		return server.Derper(listen, env.Scratch)
	})
}

// startProgram starts a program that listens on a free address. Where there is no
// such program the line is skipped.
func startProgram(s *stage.Stage, cpus []int, program func(listen string) (server.ProgramConfig, error)) (relay, error) {
	listen, err := freeAddress()
	if err != nil {
		return relay{}, err
	}
	c, err := program(listen)
	if err != nil {
		return relay{}, suite.Skip("%v", err)
	}
	c.CPUs = cpus
	var running server.Running
	s.Ask(s.Start("keeper", server.ProgramPart, nil), server.Start, c, &running)
	return relay{running.PID, ends.Config{Relay: listen, User: user, Password: password}}, nil
}

// startNone: without a relay the ends need nothing.
func startNone(*stage.Stage, suite.Env, []int) (relay, error) { return relay{}, nil }

// freeAddress is an address on loopback whose port nobody uses, for UDP or TCP.
// Somebody else may take it in the meantime; then the relay does not start, and the
// run fails.
func freeAddress() (string, error) {
	conn, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer conn.Close()
	listener, err := net.Listen("tcp4", conn.LocalAddr().String())
	if err != nil {
		return "", err
	}
	defer listener.Close()
	return conn.LocalAddr().String(), nil
}
