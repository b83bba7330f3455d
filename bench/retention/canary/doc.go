// Package canary makes bytes that can be recognised wherever they turn up, and
// looks for them.
//
// # What is looked for
//
//   - Canary blocks: 16 bytes that look random and prove by themselves, at any
//     offset, that this run has made them:
//
//     block = AES-128(key, tag ‖ number)      tag: 8 bytes of the key; number: 8 bytes, big-endian
//
//     Random bytes pass for a block once in 2⁶⁴ offsets.
//
//   - Windows: any 16 bytes that were seen on the wire, such as ciphertext.
//
//   - Identifiers: named values, such as keys, IDs and addresses, in the forms
//     in which programs hold and print them.
//
// # How
//
// [Finder.Scan] looks at every byte offset of raw memory. Pages of zeros cost
// next to nothing; the rest is shared out to all processors. [Finder.ScanText]
// also undoes what a log or a dump does to bytes: hexadecimal, base64, lists of
// decimals and Go's escapes.
//
// Nothing is remembered between calls: what lies half in one piece of memory
// and half in another is found in neither.
//
// # Content
//
// What arrives at the far end of a tunnel is verified with [Checker] for streams and
// [Planter.Check] for datagrams.
package canary
