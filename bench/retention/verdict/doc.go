// Package verdict is what an audit of zero retention comes to: the report, how
// it is judged, and how it is shown.
//
// # The verdict
//
//	FAIL     something was found that should not be there
//	INVALID  nothing was found, and the audit is no proof: it did not see what
//	         had to be there in mid-session, or did less than it was asked to
//	PASS     neither
//
// # Levels
//
// Every number is about one level, at one time, and says of how many.
//
//	payload      what the relay was given to carry on sessions without tunnels: 16-byte
//	             blocks, each of which can be told from random bytes by itself
//	ciphertext   16-byte windows of what tunnels were seen to send to the relay
//	plaintext    what was written into tunnels: the relay must never have it
//	identifiers  keys, ids, addresses and session secrets, in memory
//
// The first three are claimed: from one second after a session has closed none
// is found. Identifiers in memory are reported and not claimed: parts of the
// control plane lie on the Go heap until it is used again. That none is in a log,
// a metric or a file is claimed, and is what the detectors of the same names
// tell.
package verdict
