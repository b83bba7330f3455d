// Package proxy is the device's near end of services: local ports that lead
// through a tunnel, and a pipe for programs such as ssh.
package proxy
