package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"
)

// maxLine is the most that is read as one line, in bytes.
const maxLine = 1024

// errNoLine says that there is nothing to read where an answer was to come from.
var errNoLine = errors.New("there is no answer on stdin: type one, or write one line to it")

// AskSecret asks for a line that does not appear on the terminal. What is no
// terminal is read without asking: one line. It ends with ctx, which leaves a
// goroutine behind that waits for in; the program is about to end.
func AskSecret(ctx context.Context, in io.Reader, question string) (string, error) {
	f, ok := in.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return readLine(ctx, in)
	}
	fd := int(f.Fd())
	before, err := term.GetState(fd)
	if err != nil {
		return "", err
	}
	fmt.Fprint(os.Stderr, question)
	defer fmt.Fprintln(os.Stderr) // the line end that was not shown, either
	defer term.Restore(fd, before)
	return wait(ctx, func() (string, error) {
		secret, err := term.ReadPassword(fd)
		return string(secret), err
	})
}

// AskYes asks a question on the terminal; only a "yes" is one. Without a
// terminal it does not ask, and the error says that flag answers in its place.
func AskYes(ctx context.Context, in io.Reader, question, flag string) (bool, error) {
	f, ok := in.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return false, &UsageError{fmt.Errorf("there is no terminal to ask on: say yes with %s", flag)}
	}
	fmt.Fprint(os.Stderr, question+" Type yes: ")
	answer, err := readLine(ctx, in)
	return strings.EqualFold(answer, "yes"), err
}

func readLine(ctx context.Context, in io.Reader) (string, error) {
	return wait(ctx, func() (string, error) {
		line, err := bufio.NewReader(io.LimitReader(in, maxLine)).ReadString('\n')
		line = strings.TrimRight(line, "\r\n")
		if errors.Is(err, io.EOF) && line != "" {
			err = nil // a last line without an end
		}
		if errors.Is(err, io.EOF) {
			err = errNoLine
		}
		return line, err
	})
}

// wait returns what read does, unless ctx ends first.
func wait(ctx context.Context, read func() (string, error)) (string, error) {
	type answer struct {
		line string
		err  error
	}
	answered := make(chan answer, 1)
	go func() {
		line, err := read()
		answered <- answer{line, err}
	}()
	select {
	case a := <-answered:
		return a.line, a.err
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
}
