// Package ends is what runs at both ends of a relay, as a part of a measurement
// (bench/proc). One process holds both ends, off the relay's processor. The same
// work is done over every kind of relay:
//
//	near ──► relay ──► far     Load, Stream   as fast as the relay carries
//	near ──► relay ──► far     Probe          now and then: how long it takes
//	near ──► relay             Hold           clients that are registered and idle
//
// A kind says how the ends meet, and whether datagrams or a stream go between them:
//
//	lethe          a session's two legs, without a tunnel     datagrams
//	turn peer      a TURN client and a plain UDP socket       datagrams, a header at one end
//	turn clients   two TURN clients                           datagrams, a header at both ends
//	udp            no relay at all                            datagrams
//	strelay        a session of syncthing's relay             stream
//	derp           two clients of tailscale's relay           stream, cut into packets
//	tcp            no relay at all                            stream
//
// Datagrams are those of bench/flows: the same generator for all, with the header of
// TURN's ChannelData where there is one, in GSO runs too. Streams are written 64 KiB
// at a time. What arrives is compared with what was sent before it counts; a
// difference ends the measurement.
package ends
