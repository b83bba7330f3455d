package suite

import (
	"fmt"
	"image/color"
	"io"
	"math"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/lethe-relay/lethe/bench/picture"
)

const (
	stripHeight = 38  // points above each chart, for its title and the names of its series
	chartHeight = 45  // points of a chart without bars
	barHeight   = 19  // points for each bar
	curveHeight = 230 // points at least of a chart with curves
	chartGap    = 24  // points between charts side by side
	room        = 0.2 // of the axis beyond the largest value, for its figure
)

// WritePNG draws the result's charts. smallPrint says of what and where the
// figures are. A result without any figure has no picture: it writes nothing.
func (r *Result) WritePNG(w io.Writer, smallPrint string) error {
	charts, height := r.drawable()
	if len(charts) == 0 {
		return nil
	}
	cols := min(len(charts), 2)
	rows := (len(charts) + cols - 1) / cols
	page := picture.NewPage(vg.Length(rows)*(height+stripHeight), smallPrint)
	page.Head(r.Name, color.Black, fmt.Sprintf("%s; %s", r.About, r.rounds()))
	plots := make([][]*plot.Plot, rows)
	for i, c := range charts {
		p, err := c.plot(r)
		if err != nil {
			return err
		}
		plots[i/cols] = append(plots[i/cols], p)
	}
	for len(plots[rows-1]) < cols {
		plots[rows-1] = append(plots[rows-1], nil)
	}
	tiles := draw.Tiles{Rows: rows, Cols: cols, PadX: chartGap, PadY: stripHeight, PadTop: stripHeight}
	canvases := plot.Align(plots, tiles, page.Body)
	for i, c := range charts {
		canvas := canvases[i/cols][i%cols]
		c.writeStrip(canvas)
		plots[i/cols][i%cols].Draw(canvas)
	}
	_, err := page.WriteTo(w)
	return err
}

// drawable are the charts of which there are figures, and the height of one.
func (r *Result) drawable() (charts []Chart, height vg.Length) {
	for _, c := range r.Charts {
		lines := len(c.lines(r))
		if lines == 0 {
			continue
		}
		charts = append(charts, c)
		height = max(height, chartHeight+vg.Length(lines*len(c.Series))*barHeight)
		if c.Over != "" {
			height = max(height, curveHeight)
		}
	}
	return charts, height
}

// lines are those of which the chart shows something.
func (c Chart) lines(r *Result) (lines []LineResult) {
	for _, line := range r.Lines {
		if slices.ContainsFunc(c.Series, func(s Series) bool { return s.shows(line) }) {
			lines = append(lines, line)
		}
	}
	return lines
}

func (s Series) shows(line LineResult) bool {
	_, measured := line.Median[s.Figure]
	return measured && (s.Lines == nil || slices.Contains(s.Lines, line.Name))
}

func (c Chart) plot(r *Result) (*plot.Plot, error) {
	if c.Over != "" {
		return c.curves(r)
	}
	return c.bars(r), nil
}

// writeStrip writes above a chart what it shows, and which colour is what.
func (c Chart) writeStrip(canvas draw.Canvas) {
	const square, apart = 9, 14
	at := vg.Point{X: canvas.Min.X, Y: canvas.Max.Y + 15}
	title := picture.Letters(12, true, color.Black)
	canvas.FillText(title, at, c.Title)
	at.X += title.Width(c.Title) + apart
	for i, s := range c.Series {
		if s.Name == "" {
			continue
		}
		name := picture.Letters(10, false, color.Black)
		canvas.SetColor(picture.Colour(i))
		canvas.Fill(rectangle(at.X, at.Y, at.X+square, at.Y+square))
		canvas.FillText(name, vg.Point{X: at.X + square + 4, Y: at.Y}, s.Name)
		at.X += square + 4 + name.Width(s.Name) + apart
	}
}

func rectangle(left, bottom, right, top vg.Length) vg.Path {
	var p vg.Path
	p.Move(vg.Point{X: left, Y: bottom})
	p.Line(vg.Point{X: right, Y: bottom})
	p.Line(vg.Point{X: right, Y: top})
	p.Line(vg.Point{X: left, Y: top})
	p.Close()
	return p
}

// scale makes an axis of values from 0 to high, or from low on if it is
// logarithmic. It leaves room beyond.
func (c Chart) scale(axis *plot.Axis, low, high float64) {
	if !c.Log || low <= 0 {
		if high <= 0 {
			high = 1
		}
		axis.Min, axis.Max = 0, high*(1+room)
		axis.Tick.Marker = plot.TickerFunc(fewTicks)
		return
	}
	axis.Min = math.Pow(10, math.Floor(math.Log10(low)-0.1))
	axis.Max = high * math.Pow(high/axis.Min, room)
	axis.Scale = plot.LogScale{}
	axis.Tick.Marker = plot.LogTicks{Prec: -1}
}

// fewTicks are the usual ticks, with figures as they are in the bars.
func fewTicks(low, high float64) []plot.Tick {
	ticks := plot.DefaultTicks{}.Ticks(low, high)
	for i, t := range ticks {
		if t.Label != "" {
			ticks[i].Label = fmt.Sprintf("%.4g", t.Value)
			if t.Value >= 1e4 {
				ticks[i].Label = fmt.Sprintf("%.0f", t.Value)
			}
		}
	}
	return ticks
}

// figure is a value with three digits that matter.
func figure(v float64) string {
	switch {
	case v >= 100:
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	case v >= 1:
		return fmt.Sprintf("%.2f", v)
	}
	return fmt.Sprintf("%.3g", v)
}
