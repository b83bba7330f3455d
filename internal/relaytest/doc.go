// Package relaytest runs a real relay for tests of what stands at its two ends.
package relaytest
