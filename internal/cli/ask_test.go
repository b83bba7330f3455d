package cli

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
)

func TestAskSecret(t *testing.T) {
	for in, want := range map[string]string{
		"4711\n": "4711", "4711\r\n": "4711", "4711": "4711", "4711\nmore": "4711", " 47 \n": " 47 ", "\n": "",
	} {
		if got, err := AskSecret(t.Context(), strings.NewReader(in), "PIN: "); got != want || err != nil {
			t.Errorf("%q: %q, %v", in, got, err)
		}
	}
	if _, err := AskSecret(t.Context(), strings.NewReader(""), "PIN: "); !errors.Is(err, errNoLine) {
		t.Errorf("got %v", err)
	}
}

// TestAskInterrupted: nobody waits for a person who has pressed Ctrl-C.
func TestAskInterrupted(t *testing.T) {
	r, w := io.Pipe()
	defer w.Close()
	if _, err := AskSecret(canceled(), r, "PIN: "); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// TestAskYesNowhere: without a terminal nobody has said yes.
func TestAskYesNowhere(t *testing.T) {
	var usage *UsageError
	if yes, err := AskYes(t.Context(), strings.NewReader("yes\n"), "Sure?", "--yes"); yes || !errors.As(err, &usage) {
		t.Errorf("%t, %v", yes, err)
	}
}
