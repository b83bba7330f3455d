package suite

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"testing"

	"github.com/lethe-relay/lethe/bench/picture"
)

// drawn is a result with all kinds of charts.
func drawn(t *testing.T) *Result {
	t.Helper()
	r := &Result{Name: "swarm", About: "many sessions", Lines: []LineResult{{Name: "peer", Skipped: "not installed"}}}
	for name, sessions := range map[string]float64{"10 sessions": 10, "1,000 sessions": 1000} {
		r.AddLine(name, []Sample{{"sessions": sessions, "rate": 3e5, "kb": 0.02}, {"sessions": sessions, "rate": 4e5, "kb": 5000}})
	}
	r.Bars = []Verdict{{Bar: Bar{Figure: "rate", AtLeast: 2e5}}, {Bar: Bar{Figure: "rate", Zero: true}}}
	r.Charts = []Chart{
		{Title: "datagrams/s", Series: []Series{{Figure: "rate"}, {Name: "of one", Figure: "rate", Lines: []string{"10 sessions"}}}},
		{Title: "KB", Log: true, Series: []Series{{Figure: "kb"}}},
		{Title: "datagrams/s", Over: "sessions", OverTitle: "sessions", Series: []Series{{Figure: "rate"}, {Figure: "gone"}}},
		{Title: "gone", Series: []Series{{Figure: "gone"}}},
	}
	return r
}

// TestPicture: the colours of both series are in it, as much as they should be.
func TestPicture(t *testing.T) {
	var out bytes.Buffer
	if err := drawn(t).WritePNG(&out, "commit\nflags"); err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(&out)
	if err != nil {
		t.Fatal(err)
	}
	first, second, third := pixels(img, picture.Colour(0)), pixels(img, picture.Colour(1)), pixels(img, picture.Colour(2))
	if second < 5_000 || first < 2*second || third > 0 {
		t.Errorf("%d pixels of the first series, %d of the second, %d of a third", first, second, third)
	}
}

func pixels(img image.Image, c color.Color) (n int) {
	r0, g0, b0, _ := c.RGBA()
	for y := img.Bounds().Min.Y; y < img.Bounds().Max.Y; y++ {
		for x := img.Bounds().Min.X; x < img.Bounds().Max.X; x++ {
			if r, g, b, _ := img.At(x, y).RGBA(); r == r0 && g == g0 && b == b0 {
				n++
			}
		}
	}
	return n
}

// TestOddPictures: a picture can be drawn of zeros, and none is of nothing.
func TestOddPictures(t *testing.T) {
	zeros := &Result{Charts: []Chart{{Series: []Series{{Figure: "x"}}}, {Log: true, Series: []Series{{Figure: "x"}}}, {Over: "x", Series: []Series{{Figure: "x"}}}}}
	zeros.AddLine("a", []Sample{{"x": 0}})
	for name, c := range map[string]struct {
		result *Result
		drawn  bool
	}{"zeros": {zeros, true}, "skipped": {&Result{Skipped: "not root", Charts: zeros.Charts}, false}} {
		var out bytes.Buffer
		if err := c.result.WritePNG(&out, ""); err != nil || (out.Len() > 0) != c.drawn {
			t.Errorf("%s: %d bytes, %v", name, out.Len(), err)
		}
	}
}

// TestDefaultCharts: a scenario that names none has one of each column with a spread.
func TestDefaultCharts(t *testing.T) {
	r, _ := runThree(t)
	if len(r.Charts) != 1 || r.Charts[0].Title != "speed" || r.Charts[0].Series[0].Figure != "speed" {
		t.Errorf("%+v", r.Charts)
	}
}

func TestFigure(t *testing.T) {
	for v, want := range map[float64]string{0: "0", 0.0123456: "0.0123", 0.5: "0.5", 1.234: "1.23", 12.34: "12.3", 123.4: "123", 1234567: "1234567"} {
		if got := figure(v); got != want {
			t.Errorf("%v is %q, want %q", v, got, want)
		}
	}
}
