package proc

import (
	"strings"
	"testing"
	"time"
)

func TestParseStat(t *testing.T) {
	const rest = " R 1 7 7 0 -1 4194560 100 0 0 0 123 45 6 7 20 0 9 0 1000 1000 10"
	for name, c := range map[string]struct {
		stat string
		want time.Duration // negative: an error
	}{
		"plain":              {"7 (lethe)" + rest, 1680 * time.Millisecond},
		"spaces in name":     {"7 (a b c)" + rest, 1680 * time.Millisecond},
		"parenthesis":        {"7 (a) R 1 2) 3)" + rest, 1680 * time.Millisecond},
		"end of line":        {"7 (lethe)" + rest + "\n", 1680 * time.Millisecond},
		"large":              {"7 (lethe)" + strings.Replace(rest, " 123 ", " 360000000 ", 1), 1000*time.Hour + 450*time.Millisecond},
		"empty":              {"", -1},
		"no name":            {"7 lethe" + rest, -1},
		"cut short":          {"7 (lethe) R 1 7 7 0 -1 4194560 100 0 0 0 123", -1},
		"not a number":       {"7 (lethe)" + strings.Replace(rest, " 45 ", " 4x ", 1), -1},
		"negative":           {"7 (lethe)" + strings.Replace(rest, " 45 ", " -45 ", 1), -1},
		"children's are not": {"7 (lethe)" + strings.Replace(rest, " 6 7 20", " 600 700 20", 1), 1680 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := parseStat([]byte(c.stat))
			if c.want < 0 {
				if err == nil {
					t.Errorf("got %v, want an error", got)
				}
				return
			}
			if err != nil || got != c.want {
				t.Errorf("got %v, %v, want %v", got, err, c.want)
			}
		})
	}
}
