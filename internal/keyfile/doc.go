// Package keyfile makes the private files that hold identities: of a relay, a
// router or a device.
package keyfile
