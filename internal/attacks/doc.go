// Package attacks lists the attacks on admission that Lethe stops, each with the
// line of code that stops it and the test that shows it.
//
// The list is in attacks_test.go. TestListed sees that the lines and tests are
// there, and that SECURITY.md tells of each. TestDefences takes one line after
// the other out, in a copy of the file that only the compiler sees (go test
// -overlay), and wants the named test to fail. It compiles a package for each
// row, so it runs only with LETHE_DEFENCES=1, as .ci/run sets it.
package attacks
