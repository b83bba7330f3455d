// Package environment is what a laptop knows of where it is: the Wi-Fi that it
// is connected to, and the place that its user gives. A phone's app asks the
// phone instead.
//
// [Laptop] asks NetworkManager (nmcli) and then the kernel (iw), whichever is on
// PATH and knows. Both are Linux's: on macOS and Windows nothing is collected. A
// laptop does not know its place.
//
// What can't be found out is missing and no failure: no such program, no Wi-Fi,
// no right to ask, an answer that is late, too long or not understood. The
// policy says what a missing feature means.
//
// What the user gives ([ParseWiFi], [ParseLocation]) replaces what would be
// collected, feature by feature, and then nothing is asked. "none" shows nothing.
//
// All of it stays on the device and goes to the router inside the tunnel. It
// must not get into an error or a log.
package environment
