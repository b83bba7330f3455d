// Package geoip looks up the network (ASN) and the country of an address in
// files of the MaxMind DB format 2.0: https://maxmind.github.io/MaxMind-DB.
//
// A file is read into memory and checked as a whole when it is opened; that asks
// for whole metadata too, such as a description. After that nothing is read any
// more: a file may be replaced, and the relay may have lost its right to read
// files. Another file takes effect when the relay starts again.
package geoip
