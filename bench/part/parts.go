package part

import "github.com/lethe-relay/lethe/bench/proc"

// Requests that every part answers.
const (
	Open     = "open"
	Flow     = "flow"
	Progress = "progress"
)

// The parts, by the names that [proc.Start] takes.
const (
	RelayPart     = "relay"
	RouterPart    = "router"
	DevicePart    = "device"
	DevicesPart   = "devices"
	ServerPart    = "server"
	ClientPart    = "client"
	DatagramsPart = "datagrams"
	EchoPart      = "echo"
	CallersPart   = "callers"
	SwarmPart     = "swarm"
	ProberPart    = "prober"
)

// All is what [proc.Main] takes.
func All() map[string]func() proc.Part {
	return map[string]func() proc.Part{
		RelayPart:     newRelay,
		RouterPart:    newRouter,
		DevicePart:    newDevice,
		DevicesPart:   newDevices,
		ServerPart:    newServer,
		ClientPart:    newClient,
		DatagramsPart: newDatagrams,
		EchoPart:      newEcho,
		CallersPart:   newCallers,
		SwarmPart:     newSwarm,
		ProberPart:    newProber,
	}
}

// Directions of a flow: what the end that answers does with a stream. They are
// the names of a router's services too.
const (
	Down = "down" // sends, as a download does
	Up   = "up"   // receives
)

// Moved is the answer to Progress of all parts but devices and callers. What a part does not do is zero.
type Moved struct {
	Received uint64 // payload bytes that came in and were right
	Lost     uint64 // datagrams that were sent and never came
	Relay    Carried
}

// Carried is what a relay's data plane has counted (forward.Stats).
type Carried struct {
	Reads, Messages, Datagrams, Bytes uint64
	Dropped                           uint64 // datagrams, for whatever reason
}
