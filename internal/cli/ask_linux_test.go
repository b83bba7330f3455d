package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// openTerminal returns both ends of a terminal: where the person is, and where the program is (pts(4)).
func openTerminal(t *testing.T) (person, program *os.File) {
	t.Helper()
	person, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { person.Close() })
	if err := unix.IoctlSetPointerInt(int(person.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(person.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	program, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { program.Close() })
	return person, program
}

func echoes(t *testing.T, terminal *os.File) bool {
	t.Helper()
	state, err := unix.IoctlGetTermios(int(terminal.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	return state.Lflag&unix.ECHO != 0
}

// TestAskOnTerminal: what is typed does not show, and afterwards the terminal is as it was.
func TestAskOnTerminal(t *testing.T) {
	person, program := openTerminal(t)
	answered := make(chan string)
	go func() {
		secret, err := AskSecret(t.Context(), program, "")
		if err != nil {
			t.Error(err)
		}
		answered <- secret
	}()
	for echoes(t, program) { // until it listens; what is typed earlier would show
	}
	io.WriteString(person, "4711\n")
	if got := <-answered; got != "4711" || !echoes(t, program) {
		t.Errorf("got %q, echo %t", got, echoes(t, program))
	}
	go func() {
		yes, err := AskYes(t.Context(), program, "", "--yes")
		answered <- fmt.Sprint(yes, err)
	}()
	io.WriteString(person, "YES\n")
	if got := <-answered; got != "true <nil>" {
		t.Errorf("yes is %s", got)
	}
	shown := make([]byte, 100)
	n, err := person.Read(shown)
	if text := string(shown[:n]); err != nil || strings.Contains(text, "4711") {
		t.Errorf("the terminal shows %q, %v", text, err)
	}
}

// TestAskInterruptedOnTerminal: after Ctrl-C the terminal shows what is typed, again.
func TestAskInterruptedOnTerminal(t *testing.T) {
	_, program := openTerminal(t)
	ctx, cancel := context.WithCancel(t.Context())
	answered := make(chan error)
	go func() {
		_, err := AskSecret(ctx, program, "")
		answered <- err
	}()
	for echoes(t, program) {
	}
	cancel()
	if err := <-answered; !errors.Is(err, context.Canceled) || !echoes(t, program) {
		t.Errorf("got %v, echo %t", err, echoes(t, program))
	}
}
