package demo

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/term"
)

const usualWidth = 80 // columns of a terminal that does not say

// screen is where the running lines go: a terminal, where they are rewritten in
// place, or anything else, where each showing is one line more.
type screen struct {
	out   io.Writer
	width func() int // of the terminal, in columns; nil if it is none
	shown int        // lines on the terminal that the next showing rewrites
}

func newScreen(out io.Writer) *screen {
	s := &screen{out: out}
	if file, ok := out.(*os.File); ok && term.IsTerminal(int(file.Fd())) {
		s.width = func() int {
			width, _, err := term.GetSize(int(file.Fd()))
			if err != nil || width <= 0 {
				return usualWidth
			}
			return width
		}
	}
	return s
}

// interval is how often there should be something new.
func (s *screen) interval() time.Duration {
	if s.width == nil {
		return pipeInterval
	}
	return screenInterval
}

// show writes the lines, on a terminal in the place of those before. A line that
// is too long for it is cut: were it wrapped, the place would be lost.
func (s *screen) show(lines []string) error {
	if s.width == nil {
		_, err := fmt.Fprintln(s.out, inOne(lines))
		return err
	}
	var text strings.Builder
	if s.shown > 0 {
		fmt.Fprintf(&text, "\x1b[%dA", s.shown) // cursor up
	}
	width := s.width()
	for _, line := range lines {
		runes := []rune(line)
		fmt.Fprintf(&text, "\r%s\x1b[K\n", string(runes[:min(len(runes), width-1)])) // and erase to the end
	}
	s.shown = len(lines)
	_, err := io.WriteString(s.out, text.String())
	return err
}

// inOne makes one line of several, without the spaces that align them.
func inOne(lines []string) string {
	var parts []string
	for _, line := range lines {
		parts = append(parts, strings.Join(strings.Fields(line), " "))
	}
	return strings.Join(parts, " | ")
}
