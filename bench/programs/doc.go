// Package programs is the scenarios that programs of their own measure, because
// they can't be linked into bench:
//
//	peers       bench/peers, a module of its own, which requires other relays
//	retention   bench/retention, which shares no code with the relay that it audits
//
// Each is built and started here. What it tells on stderr is the progress; the
// result is the JSON file that it writes.
package programs
