// Package agent is the router's program: it stays registered with a relay,
// keeps the list of paired devices, and connects their streams to the services
// that the router offers.
//
// # Its directory
//
//	agent.yaml    relay URL and services                  config.go
//	router.key    the router's identity, PKCS#8 PEM
//	devices.json  who is paired, with pairing secrets     devices.go
//	agent.sock    while it runs: 'lethe-agent pair' asks here   admin.go
//	lock          one agent at a time
//
// All of it is private to its owner, and every file is replaced as a whole.
//
// # What it serves
//
// The services of agent.yaml, and two of its own: status, a JSON document about
// the router (tunnel/service), and unpair, by which a device takes itself off
// the list.
package agent
