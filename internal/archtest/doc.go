// Package archtest holds the rules of this repository that a compiler does not know: what may
// import what, how large things may be, what every package owes its reader. It is nothing but tests.
//
// A rule looks at the source tree and returns what breaks it. Each one says why it exists, in the
// failure itself. Three things keep the rules from rotting:
//
//   - A rule that looked at nothing fails. So a rule about a package that was renamed does not pass for ever.
//   - Each rule is shown failing: testdata/NAME.txtar is a small tree that breaks it, and lists the
//     places where. testdata/clean.txtar is one that breaks none.
//   - An exemption has a reason, and fails when it is no longer needed.
//
// The tree is what git tracks or would track. Files for every operating system count, whichever
// this test runs on: packages are read with go/parser, not asked from the go command. To add a rule,
// write a function like those in source_test.go, list it in rules, and break it in a new archive.
package archtest
