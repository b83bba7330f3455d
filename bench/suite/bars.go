package suite

import (
	"image/color"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/lethe-relay/lethe/bench/picture"
)

// barWidth is that of all bars of a line together, of the height that it has.
const barWidth = 0.8

// bars makes a plot of the chart with a group of bars for each line, which lie
// so that the lines' names can be read.
func (c Chart) bars(r *Result) *plot.Plot {
	p := picture.NewPlot()
	lines := c.lines(r)
	names := make([]string, len(lines))
	var bars []bar
	for i, line := range lines {
		at := len(lines) - 1 - i // the first on top
		names[at] = line.Name
		each := barWidth / float64(len(c.Series))
		for j, s := range c.Series {
			if s.shows(line) {
				top := float64(at) + barWidth/2 - float64(j)*each
				bars = append(bars, bar{line.Median[s.Figure], line.Spread[s.Figure], len(line.Rounds) > 1, top - each, top, picture.Colour(j)})
			}
		}
	}
	low, high := c.extent(lines)
	for _, b := range bars {
		p.Add(b)
	}
	for _, limit := range c.limits(r) {
		high = max(high, limit.at)
		p.Add(limit)
	}
	for _, b := range bars {
		p.Add(label{b})
	}
	c.scale(&p.X, low, high)
	p.NominalY(names...)
	p.Y.Min, p.Y.Max = -0.5, float64(len(lines))-0.5
	return p
}

// extent is the smallest and the largest value that is shown.
func (c Chart) extent(lines []LineResult) (low, high float64) {
	low = math.Inf(1)
	for _, line := range lines {
		for _, s := range c.Series {
			if s.shows(line) {
				low, high = min(low, line.Spread[s.Figure].Min), max(high, line.Spread[s.Figure].Max)
			}
		}
	}
	return low, high
}

// bar lies between two heights and ends at a value. Its whisker is the spread.
type bar struct {
	value       float64
	spread      Spread
	hasSpread   bool
	bottom, top float64
	colour      color.Color
}

// Plot implements [plot.Plotter].
func (b bar) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	from, to := c.Min.X, x(max(b.value, p.X.Min))
	c.SetColor(b.colour)
	c.Fill(rectangle(from, y(b.bottom)+1, to, y(b.top)-1))
	if b.hasSpread {
		middle := (y(b.bottom) + y(b.top)) / 2
		left, right := x(max(b.spread.Min, p.X.Min)), x(b.spread.Max)
		whisker := draw.LineStyle{Color: color.Black, Width: vg.Points(1)}
		c.StrokeLine2(whisker, left, middle, right, middle)
		c.StrokeLine2(whisker, left, middle-3, left, middle+3)
		c.StrokeLine2(whisker, right, middle-3, right, middle+3)
	}
}

// label is the value of a bar, at its end or that of its whisker.
type label struct{ bar }

// Plot implements [plot.Plotter].
func (l label) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	middle, end := (y(l.bottom)+y(l.top))/2, x(max(l.value, p.X.Min))
	if l.hasSpread {
		end = max(end, x(l.spread.Max))
	}
	style := picture.Letters(9, false, color.Black)
	style.YAlign = draw.YCenter
	text := figure(l.value)
	c.SetColor(color.White) // a limit may pass below it
	c.Fill(rectangle(end+3, middle-5, end+5+style.Width(text), middle+5))
	c.FillText(style, vg.Point{X: end + 4, Y: middle}, text)
}

// limit is the line that a bar of the scenario draws, where a figure has to end.
type limit struct {
	at   float64
	text string
	row  int // texts may be near to each other: each has a line of its own
}

// limits are those of the figures that the chart shows.
func (c Chart) limits(r *Result) (limits []limit) {
	seen := make(map[string]bool)
	for _, s := range c.Series {
		for _, v := range r.Bars {
			at := max(v.AtLeast, v.AtMost)
			if text := v.limit(); v.Figure == s.Figure && at > 0 && !seen[text] {
				seen[text] = true
				limits = append(limits, limit{at, text, len(limits)})
			}
		}
	}
	return limits
}

// Plot implements [plot.Plotter].
func (l limit) Plot(c draw.Canvas, p *plot.Plot) {
	toX, _ := p.Transforms(&c)
	x := toX(l.at)
	c.StrokeLine2(draw.LineStyle{Color: color.Black, Width: vg.Points(1), Dashes: []vg.Length{4, 3}}, x, c.Min.Y, x, c.Max.Y)
	style := picture.Letters(8, false, color.Black)
	style.XAlign = draw.XRight
	if x-c.Min.X < style.Width(l.text) {
		style.XAlign = draw.XLeft
	}
	c.FillText(style, vg.Point{X: x, Y: c.Max.Y + 1 + vg.Points(9)*vg.Length(l.row)}, l.text)
}
