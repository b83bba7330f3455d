// Package journal keeps what the router has decided about devices, and why: the
// log that lethe-agent shows. It holds reasons and scores, never the network, place
// or account behind them.
//
// # The file
//
// One JSON object a line (entry.go), oldest first, private, at most [MaxSize]
// bytes. Lines that can't be read, such as the torn last one after a power
// cut, are skipped and gone with the next rewrite.
//
// # Sparing the flash, and the sessions
//
// The journal is in memory; the file is its copy, brought up to date in the
// background at most once in [writeEvery]. The first entry after a quiet minute
// is written at once, those that follow wait for the rest of the minute. So
// however much happens, the flash sees 1440 writes a day at most, and no session
// waits for a disk that is slow or full. The price: a power cut may take the last
// minute with it. Nothing is decided by the journal, so that is no loss of safety.
//
// An entry that repeats the last one of its device within that minute, and
// while that one is not written yet, is counted in it ([Entry].Times).
//
// A write appends. The file is written anew, as a whole and atomically, when
// entries were dropped or forgotten, when the last write failed, and
// when the file is not as it was left. A write that failed is tried again a minute
// later. Until it succeeds the entries are in memory only.
//
// # What is dropped
//
// Too large, the journal loses a quarter at once, so that this happens seldom:
// the oldest entries of the devices that have the most. An entry about no device
// counts as one of who caused it. So who has stolen a key can wash out what is
// written about that key, and not what is written about others.
//
// What is too old is dropped by [Journal.Prune] only. A router that starts with a
// clock far ahead would lose all of it otherwise.
package journal
