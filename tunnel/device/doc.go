// Package device keeps what a device needs to reach its routers, in a folder:
//
//	device.key                the device's identity, PKCS#8 PEM
//	routers/NAME.json         relay, RouterID and pairing secret
//	routers/NAME-cert.pub     the grant; 'ssh-keygen -L -f' prints it
//	logins.json               ID tokens for relays that have accounts, until they expire
//	lock                      one writer at a time
//
// All of it is private to its owner, and every file is replaced as a whole.
// A [Link] opens tunnels from it, and opens them again when they break. When the
// router gives a fresh grant, it takes the place of the old one.
package device
