package suite

import "testing"

func TestJudge(t *testing.T) {
	measured := []LineResult{
		{Name: "down", Median: Sample{"x": 1.0}}, {Name: "up", Median: Sample{"x": 2.0}}, {Name: "none", Median: Sample{}},
		{Name: "zero", Median: Sample{"x": 0}},
	}
	withSkip := append(measured[:4:4], LineResult{Name: "peer", Skipped: "not installed"})
	withSkip = append(withSkip, LineResult{Name: "long", Skipped: notShort})
	for name, c := range map[string]struct {
		bar   Bar
		lines []LineResult
		worst float64
		pass  bool
		skip  string
	}{
		"most, all below":      {Bar{Figure: "x", Lines: []string{"down", "up"}, AtMost: 2}, measured, 2, true, ""},
		"most, one above":      {Bar{Figure: "x", Lines: []string{"up", "down"}, AtMost: 1.9}, measured, 2, false, ""},
		"least, all above":     {Bar{Figure: "x", Lines: []string{"up", "down"}, AtLeast: 1}, measured, 1, true, ""},
		"least, one below":     {Bar{Figure: "x", Lines: []string{"down", "up"}, AtLeast: 1.1}, measured, 1, false, ""},
		"zero, all":            {Bar{Figure: "x", Lines: []string{"zero"}, Zero: true}, measured, 0, true, ""},
		"zero, one more":       {Bar{Figure: "x", Lines: []string{"zero", "down"}, Zero: true}, measured, 1, false, ""},
		"not measured":         {Bar{Figure: "x", Lines: []string{"down", "none"}, AtMost: 5}, measured, 1, false, ""},
		"no such line":         {Bar{Figure: "x", Lines: []string{"gone"}, AtMost: 5}, measured, 0, false, ""},
		"a bar without line":   {Bar{Figure: "x", AtMost: 5}, measured, 0, false, ""},
		"skipped":              {Bar{Figure: "x", Lines: []string{"peer"}, AtMost: 5}, withSkip, 0, false, "not installed"},
		"what it needs was":    {Bar{Figure: "y", Lines: []string{"down"}, AtMost: 5}, withSkip, 0, false, "peer: not installed"},
		"something else was":   {Bar{Figure: "x", Lines: []string{"down"}, AtMost: 5}, withSkip, 1, true, ""},
		"part, reached":        {Bar{Figure: "x", Lines: []string{"long", "down"}, AtLeast: 1}, withSkip, 1, true, ""},
		"part, missed":         {Bar{Figure: "x", Lines: []string{"down", "long"}, AtLeast: 2}, withSkip, 1, false, ""},
		"none of it":           {Bar{Figure: "x", Lines: []string{"long"}, Zero: true}, withSkip, 0, false, notShort},
		"part, and no peer":    {Bar{Figure: "x", Lines: []string{"long", "peer"}, Zero: true}, withSkip, 0, false, "not installed"},
		"not measured, nor is": {Bar{Figure: "y", Lines: []string{"down"}, AtMost: 5}, measured, 0, false, ""},
	} {
		t.Run(name, func(t *testing.T) {
			if v := c.bar.judge(c.lines); v.Worst != c.worst || v.Pass != c.pass || v.Skipped != c.skip {
				t.Errorf("got %+v, want worst %v, pass %v, skipped %q", v, c.worst, c.pass, c.skip)
			}
		})
	}
}

// TestPart: a bar that was judged on a part of its lines says so.
func TestPart(t *testing.T) {
	lines := []LineResult{{Name: "one", Median: Sample{"x": 1}}, {Name: "ten", Skipped: notShort}}
	v := Bar{What: "x", Figure: "x", Lines: []string{"one", "ten"}, AtMost: 2}.judge(lines)
	if want := "PASS  x, at most 2.00: 1.00 (judged on 1 of 2 lines: ten not in the short form)"; v.String() != want {
		t.Errorf("got %q, want %q", v, want)
	}
}
