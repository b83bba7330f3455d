// Package part is what the processes of a measurement do. Each part answers
// the same three requests (package proc):
//
//	Open      make it ready; the answer is what the next part needs
//	Flow      begin to move bytes or to open tunnels, and go on until the part ends
//	Progress  how much has been done and checked
//
// The parts:
//
//	relay       the real relay, from a configuration as 'lethe-relay init' writes it
//	router      a tunnel.Listener whose services send or take bytes
//	device      a tunnel.Dial to it; its Flow opens one stream
//	devices     many of them: its Flow dials tunnels and closes them, again and again
//	server      a stock quic-go listener that does what router does
//	client      a stock quic-go connection that does what device does
//	datagrams   two legs of one session, without a tunnel: a source of GSO
//	            batches and a sink that reads with GRO
//	callers     devices that open sessions without tunnels on control connections
//	            that live, have a datagram come back, and end them
//	echo        the router of those sessions, which sends the datagram back
//	swarm       both ends of up to ten thousand sessions without tunnels, whose
//	            datagrams interleave (package flows)
//	prober      both ends of sessions without tunnels, over which a datagram goes
//	            now and then; tells how long each took, and how long without the relay
//
// # What is counted is right
//
// Every byte of a stream and every datagram has a known content (pattern.go).
// A receiver compares it all and counts only what it has compared; a
// difference makes Progress an error, and the measurement fails. An open counts
// if its tunnel got the verdict that it should, its datagram came back, or its
// device got the refusal; any other outcome is an error too. So nothing is fast by being wrong.
package part
