package suite

import (
	"cmp"
	"math"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/lethe-relay/lethe/bench/picture"
)

// points are a curve, with the spread of each.
type points struct {
	plotter.XYs
	plotter.YErrors
}

// curves makes a plot of the chart with a curve for each series, over a figure.
func (c Chart) curves(r *Result) (*plot.Plot, error) {
	p := picture.NewPlot()
	lines := c.lines(r)
	low, high := c.extent(lines)
	p.X.Label.Text = c.OverTitle
	p.X.Scale, p.X.Tick.Marker = plot.LogScale{}, plot.LogTicks{Prec: -1}
	grid := plotter.NewGrid()
	grid.Vertical.Color, grid.Horizontal.Color = nil, picture.Pale()
	p.Add(grid)
	least, most := math.Inf(1), 0.0
	for i, s := range c.Series {
		curve := s.points(lines, c.Over)
		if len(curve.XYs) == 0 {
			continue
		}
		least, most = min(least, curve.XYs[0].X), max(most, curve.XYs[len(curve.XYs)-1].X)
		line, dots, err := plotter.NewLinePoints(curve.XYs)
		if err != nil {
			return nil, err
		}
		spread, err := plotter.NewYErrorBars(curve)
		if err != nil {
			return nil, err
		}
		line.Color, line.Width = picture.Colour(i), vg.Points(1.8)
		dots.GlyphStyle = draw.GlyphStyle{Color: picture.Colour(i), Radius: vg.Points(4), Shape: shape(i)}
		spread.Color = picture.Grey()
		p.Add(line, spread, dots)
	}
	if most == 0 { // there is no curve
		least, most = 1, 10
	}
	p.X.Min, p.X.Max = least/1.5, most*1.5
	c.scale(&p.Y, low, high) // after adding, which widens it
	return p, nil
}

// shape tells series apart where colours don't.
func shape(n int) draw.GlyphDrawer {
	shapes := []draw.GlyphDrawer{draw.CircleGlyph{}, draw.BoxGlyph{}, draw.TriangleGlyph{}, draw.PyramidGlyph{}}
	return shapes[n%len(shapes)]
}

// points are what the series shows, in the order of the axis.
func (s Series) points(lines []LineResult, over string) (curve points) {
	sorted := slices.SortedFunc(slices.Values(lines), func(a, b LineResult) int { return cmp.Compare(a.Median[over], b.Median[over]) })
	for _, line := range sorted {
		x := line.Median[over]
		if !s.shows(line) || x <= 0 {
			continue
		}
		y, spread := line.Median[s.Figure], line.Spread[s.Figure]
		curve.XYs = append(curve.XYs, plotter.XY{X: x, Y: y})
		curve.YErrors = append(curve.YErrors, struct{ Low, High float64 }{y - spread.Min, spread.Max - y})
	}
	return curve
}
