// Package tmpfstest gives tests a small file system of their own, which can be
// full or read-only for real. It is for tests on Linux.
package tmpfstest
