// Package localsock opens the unix sockets by which a program is asked about
// itself on its own machine: private to their owner, at paths of any length.
//
// The caller holds the lock of the socket's directory, so that a socket found
// there is a dead program's and can be replaced.
package localsock
