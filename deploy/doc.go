// Package deploy has what an operator installs, and tests of it: that systemd takes
// the unit and the relay holds its promise under it, that what the pages name is
// there, and that the settings do what the doctor asks for.
package deploy
