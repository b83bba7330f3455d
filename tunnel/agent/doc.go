// Package agent is the router's program: it stays registered with a relay,
// keeps the list of paired devices, and connects their streams to the services
// that the router offers.
//
// # Its directory
//
//	agent.yaml    relay URL and services                  config.go
//	router.key    the router's identity, PKCS#8 PEM
//	devices.json  who is paired, with pairing secrets;
//	              which grants were taken back            devices.go revocations.go
//	agent.sock    while it runs: our commands ask here    admin.go manage.go
//	lock          one agent at a time
//
// All of it is private to its owner, and every file is replaced as a whole.
//
// # What it serves
//
// The services of agent.yaml, and three of its own: status, a JSON document about
// the router (tunnel/service); unpair, by which a device takes itself off the
// list; manage, by which owners see the list and take others off it.
package agent
