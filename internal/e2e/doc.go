// Package e2e tests the three programs as their users meet them: it builds
// them, starts them as processes, and puts programs that others have written
// at both ends.
//
//	curl, ssh, scp ─► lethe ═══► lethe-relay ═══► lethe-agent ─► nginx, sshd
//	                    └────────── one tunnel ────────┘
//
// It is nothing but tests. They want Linux and, some of them, other programs;
// a test that misses one is skipped and names it, with its Debian package.
// Those that make network namespaces, mount a small disk or capture packets
// want root.
//
//	go test ./internal/e2e         about three minutes on two cores
//	go test -short ./internal/e2e  smaller downloads
//
// # How they wait
//
// Nothing sleeps. A test waits for a line that a program prints, for the end of
// a process, or asks again until the answer is the wanted one ([until]); each
// test has a deadline that ends all its processes. When a test fails it shows
// what all of them have printed.
//
// Every one of our programs that a test starts must end with exit code 0 on
// SIGTERM, and leave no process behind: the helpers see to that in all tests.
package e2e
