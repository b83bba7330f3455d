package suite

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// Progress tells what is being measured, and how long it will still take: on a
// terminal in one line that is rewritten, elsewhere in lines. The guess is made
// of how long things have taken so far. All methods do nothing on nil.
type Progress struct {
	w     io.Writer
	width int // of the terminal, in characters; 0: it is none
	now   func() time.Time

	ahead []step // what has not ended yet, in order
	began time.Time
	took  map[string]time.Duration // the last measurement of each line, by step.key
}

type step struct {
	scenario, line string
	guess          time.Duration
}

func (s step) key() string { return s.scenario + "\x00" + s.line }

// NewProgress tells it to w. width is that of the terminal that w is, or 0.
func NewProgress(w io.Writer, width int) *Progress {
	return &Progress{w: w, width: width, now: time.Now, took: make(map[string]time.Duration)}
}

// Plan says what will be run. Without it no time is guessed.
func (p *Progress) Plan(scenarios []Scenario, o Options) {
	if p == nil {
		return
	}
	for _, s := range scenarios {
		p.ahead = append(p.ahead, s.steps(o)...)
	}
}

// steps are the measurements of a scenario.
func (s Scenario) steps(o Options) (steps []step) {
	if o.Short && s.Long {
		return nil
	}
	if s.Elsewhere != nil {
		return []step{{s.Name, "", s.Elsewhere.Takes(o)}}
	}
	for range s.rounds(o) {
		for _, line := range s.Lines {
			if !o.Short || !line.Long {
				steps = append(steps, step{s.Name, line.Name, line.takes(o)})
			}
		}
	}
	return steps
}

// begin tells that a line is measured now. It is the next one that was planned,
// if any was.
func (p *Progress) begin(scenario, line string, round, rounds int) {
	if p == nil {
		return
	}
	p.began = p.now()
	text := scenario
	if line != "" {
		text = fmt.Sprintf("%s: round %d of %d: %s", scenario, round+1, rounds, line)
	}
	p.write(text + p.left())
}

// Say tells a detail of what is being measured.
func (p *Progress) Say(what string) {
	if p == nil {
		return
	}
	if len(p.ahead) == 0 {
		p.write(what)
		return
	}
	if scenario := p.ahead[0].scenario; !strings.HasPrefix(what, scenario+": ") {
		what = scenario + ": " + what
	}
	if !strings.HasSuffix(what, " left") { // another program's own guess is better
		what += p.left()
	}
	p.write(what)
}

// end tells that the line has been measured.
func (p *Progress) end() {
	if p == nil || len(p.ahead) == 0 {
		return
	}
	p.took[p.ahead[0].key()] = p.now().Sub(p.began)
	p.ahead = p.ahead[1:]
}

// drop forgets further measurements of a line.
func (p *Progress) drop(scenario, line string) {
	p.forget(func(s step) bool { return s.scenario == scenario && s.line == line })
}

// leave forgets further measurements of a scenario.
func (p *Progress) leave(scenario string) {
	p.forget(func(s step) bool { return s.scenario == scenario })
}

func (p *Progress) forget(which func(step) bool) {
	if p != nil {
		p.ahead = slices.DeleteFunc(p.ahead, which)
	}
}

// Clear removes the line from the terminal.
func (p *Progress) Clear() {
	if p != nil && p.width > 0 {
		fmt.Fprint(p.w, "\r\x1b[K")
	}
}

func (p *Progress) write(text string) {
	if p.width == 0 {
		fmt.Fprintln(p.w, text)
		return
	}
	if utf8.RuneCountInString(text) >= p.width {
		text = string([]rune(text)[:p.width-1])
	}
	fmt.Fprintf(p.w, "\r\x1b[K%s", strings.ReplaceAll(text, "\n", " "))
}

// left guesses how long the rest takes: each line as long as it took last time,
// and what was not measured yet as guessed.
func (p *Progress) left() string {
	if len(p.ahead) == 0 {
		return ""
	}
	left := -p.now().Sub(p.began)
	for _, s := range p.ahead {
		if took, known := p.took[s.key()]; known {
			left += took
		} else {
			left += s.guess
		}
	}
	return ", " + about(max(left, 0)) + " left"
}

func about(d time.Duration) string {
	if d < 90*time.Second {
		return fmt.Sprintf("about %.0f s", d.Seconds())
	}
	return fmt.Sprintf("about %.0f min", d.Minutes())
}
