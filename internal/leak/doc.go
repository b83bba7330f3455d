// Package leak does on purpose what a relay must never do: it keeps or gives away
// what it carries.
//
// An audit that finds nothing has shown nothing, unless it is seen to find. So a
// relay that is built with the tag lethe_leak does the one leak that LETHE_LEAK
// names, and either the kernel refuses it or an auditor has to find it. Without
// the tag no program holds a byte of this package, which a test looks after.
//
//	file              a new file in LETHE_LEAK_DIR
//	early_descriptor  a file in LETHE_LEAK_DIR that was opened before the lockdown
//	shared_mapping    a mapping of a file in LETHE_LEAK_DIR, from before the lockdown
//	memfd             memory files: one from before, written to; one from before, mapped
//	                  until it is full; new ones
//	log               a line on the standard error, in hexadecimal
//	metric            a label on /metrics, in hexadecimal
//	heap              copies on the heap
//	unwiped           packet buffers are wiped for show only
//	child             a new process reads it
//	unix_socket       the Unix stream socket LETHE_LEAK_SOCKET
//	udp               the UDP address LETHE_LEAK_UDP, from a new socket and from the relay's own
//	early_socket      the UDP address LETHE_LEAK_UDP and the TCP address LETHE_LEAK_TCP, from
//	                  sockets that were opened before the lockdown, without connect(2)
//	one_in_10000      copies on the heap, of one block of 64 bytes in 10,000
//	late              copies on the heap, made unreadable, and readable after 20 s
//	corrupt           bytes are wiped before they are sent, from the 200th message on
//	all_stays         nothing is wiped, and nothing ended collected; it is no leak to be
//	                  caught, but what bench/retention cost compares with
//
// What has become of it is said on the standard error, each outcome once:
//
//	leak NAME: done
//	leak NAME: refused: operation not permitted
//
// A leak takes up to 4 KiB of a message, fifty times a second at most, for as long as
// the relay carries anything. What is not about the heap leaves no copy there.
package leak
