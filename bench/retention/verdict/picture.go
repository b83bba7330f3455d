package verdict

import (
	"cmp"
	"fmt"
	"image/color"
	"io"
	"math"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/lethe-relay/lethe/bench/picture"
)

const (
	bodyHeight = 6.2 * vg.Inch
	gap        = 10 * vg.Millimeter // between the plots
)

// palette are colours that people who see no red or no green can tell apart, too.
type palette struct{ traffic, area, found, clean, wrong, mark color.Color }

func colours() palette {
	return palette{
		traffic: color.NRGBA{0x2b, 0x6c, 0xb0, 0xff},
		area:    color.NRGBA{0xc6, 0xdb, 0xef, 0xff},
		found:   color.NRGBA{0xe0, 0x8a, 0x1e, 0xff},
		clean:   color.NRGBA{0x1b, 0x7f, 0x5c, 0xff},
		wrong:   color.NRGBA{0xc0, 0x1c, 0x28, 0xff},
		mark:    color.NRGBA{0x8a, 0x8a, 0x8a, 0xff},
	}
}

// WritePNG draws throughput over time, and below it the payload that was found
// in the relay's memory.
func (r *Report) WritePNG(w io.Writer) error {
	above, err := r.plotTraffic()
	if err != nil {
		return err
	}
	below, err := r.plotFound()
	if err != nil {
		return err
	}
	page := picture.NewPage(bodyHeight, "")
	r.writeTitle(page)
	canvases := plot.Align([][]*plot.Plot{{above}, {below}}, draw.Tiles{Rows: 2, Cols: 1, PadY: gap}, page.Body)
	above.Draw(canvases[0][0])
	below.Draw(canvases[1][0])
	_, err = page.WriteTo(w)
	return err
}

// writeTitle says in words what the picture shows.
func (r *Report) writeTitle(page *picture.Page) {
	c := colours()
	colour := map[Verdict]color.Color{Pass: c.clean, Fail: c.wrong, Invalid: c.found}[r.Verdict]
	page.Head(fmt.Sprintf("%s  %s", r.Verdict, r.headline()), colour, r.subtitle())
}

// headline is the result as one sentence.
func (r *Report) headline() string {
	switch r.Verdict {
	case Pass:
		return "the relay remembers nothing of what it has carried"
	case Fail:
		return "the relay has kept something, or changed it"
	}
	return "this audit proves nothing"
}

// subtitle says how much was looked at.
func (r *Report) subtitle() string {
	sessions := 0
	for _, g := range r.Groups {
		sessions += g.Ended
	}
	return fmt.Sprintf("%.1f GB relayed and %d sessions closed in %.0f s. Kernel lockdown: %s. Program %.12s…, %s, run %.8s",
		gigabytes(r.Done.Relayed), sessions, r.Seconds, r.Relay.Lockdown, r.Relay.SHA256, r.Time.Format("2 January 2006"), r.Nonce)
}

// newPlot is a plot over the time of the audit.
func (r *Report) newPlot(title, unit string) *plot.Plot {
	p := picture.NewPlot()
	p.Title.Text, p.Y.Label.Text = title, unit
	p.Y.Tick.Marker = plot.TickerFunc(wholeTicks)
	p.X.Min, p.X.Max, p.Y.Min = 0, r.Seconds, 0
	return p
}

// wholeTicks are the usual ticks, those with a name at whole numbers.
func wholeTicks(low, high float64) []plot.Tick {
	ticks := plot.DefaultTicks{}.Ticks(low, high)
	for i, t := range ticks {
		if t.Label != "" {
			ticks[i].Label = fmt.Sprintf("%.0f", t.Value)
		}
	}
	return ticks
}

// plotTraffic is the upper half: how much the relay carried.
func (r *Report) plotTraffic() (*plot.Plot, error) {
	p, c := r.newPlot("What the relay carried (dashed lines: where sessions were over, and how they had ended)", "Gbit/s"), colours()
	points := make(plotter.XYs, 0, len(r.Throughput))
	for _, rate := range r.Throughput {
		points = append(points, plotter.XY{X: rate.At, Y: rate.GbitPerS})
	}
	if len(points) == 0 {
		points = plotter.XYs{{X: 0, Y: 0}}
	}
	line, err := plotter.NewLine(points)
	if err != nil {
		return nil, err
	}
	line.Color, line.FillColor, line.Width = c.traffic, c.area, vg.Points(1.2)
	p.Add(line)
	p.Y.Max = math.Max(p.Y.Max*1.4, 1) // room for the names of the marks
	r.addMarks(p, true)
	return p, nil
}

// plotFound is the lower half: how much of it was found in memory.
func (r *Report) plotFound() (*plot.Plot, error) {
	p, c := r.newPlot("What could be found of it in the relay's memory", "KB of payload"), colours()
	p.X.Label.Text = "seconds"
	var live, clean, wrong plotter.XYs
	for _, s := range r.Scans {
		at := plotter.XY{X: s.At, Y: float64(s.shown()) * blockKB}
		switch {
		case s.Moment == Live:
			live = append(live, at)
		case at.Y == 0:
			clean = append(clean, at)
		default:
			wrong = append(wrong, at)
		}
	}
	r.addMarks(p, false)
	for _, bars := range []struct {
		points plotter.XYs
		colour color.Color
		label  string
	}{
		{live, c.found, "while sessions carry: it passes through"},
		{wrong, c.wrong, "after sessions have closed: still there"},
	} {
		if err := addBars(p, bars.points, bars.colour, bars.label); err != nil {
			return nil, err
		}
	}
	p.Y.Max = math.Max(p.Y.Max*1.35, 1) // room for the legend
	return p, addZeros(p, clean)
}

// shown is how much a scan has found, in blocks: of payload while it is carried,
// and of all that may not be there any more afterwards.
func (s Scan) shown() (n int) {
	for _, c := range s.Counts {
		if c.Claimed || c.Level == Payload {
			n += c.Found
		}
	}
	return n
}

// blockKB is the size of what a scan counts.
const blockKB = 16.0 / 1000

// addBars draws a bar for each point, with its value.
func addBars(p *plot.Plot, points plotter.XYs, colour color.Color, label string) error {
	if len(points) == 0 {
		return nil
	}
	values := plotter.XYLabels{XYs: points}
	for _, at := range points {
		values.Labels = append(values.Labels, fmt.Sprintf("%.0f", at.Y))
		bar, err := plotter.NewLine(plotter.XYs{{X: at.X, Y: 0}, at})
		if err != nil {
			return err
		}
		bar.Color, bar.Width = colour, vg.Points(5)
		p.Add(bar)
		if label != "" {
			p.Legend.Add(label, bar)
			label = ""
		}
	}
	text, err := plotter.NewLabels(values)
	if err != nil {
		return err
	}
	for i := range text.TextStyle {
		text.TextStyle[i] = picture.Letters(9, false, colour)
		text.TextStyle[i].XAlign = draw.XCenter
	}
	text.Offset.Y = vg.Points(3)
	p.Add(text)
	return nil
}

// addZeros draws a dot for each scan that found nothing.
func addZeros(p *plot.Plot, points plotter.XYs) error {
	if len(points) == 0 {
		return nil
	}
	dots, err := plotter.NewScatter(points)
	if err != nil {
		return err
	}
	dots.GlyphStyle = draw.GlyphStyle{Color: colours().clean, Radius: vg.Points(4), Shape: draw.CircleGlyph{}}
	p.Add(dots)
	p.Legend.Add(fmt.Sprintf("after sessions have closed: nothing (%d looks)", len(points)), dots)
	return nil
}

// mark is a line over the whole height where the sessions of a group were over,
// with a name if there is one.
type mark struct {
	at    float64
	name  string
	right bool // of the line is the name
}

// Plot implements [plot.Plotter].
func (m mark) Plot(c draw.Canvas, p *plot.Plot) {
	transform, _ := p.Transforms(&c)
	x := transform(m.at)
	c.StrokeLine2(draw.LineStyle{Color: colours().mark, Width: vg.Points(0.8), Dashes: []vg.Length{3, 3}}, x, c.Min.Y, x, c.Max.Y)
	style := picture.Letters(9, false, color.Black)
	style.Rotation, style.XAlign = math.Pi/2, draw.XRight
	at := vg.Point{X: x - 3, Y: c.Max.Y - 3}
	if m.right {
		at.X = x + 10
	}
	c.FillText(style, at, m.name)
}

// addMarks marks the closes. Of two that come together the second has its name
// to the right.
func (r *Report) addMarks(p *plot.Plot, named bool) {
	last := Group{Closed: math.Inf(-1)}
	byTime := func(a, b Group) int { return cmp.Compare(a.Closed, b.Closed) }
	for _, g := range slices.SortedFunc(slices.Values(r.Groups), byTime) {
		if g.Closed <= 0 {
			continue
		}
		m := mark{at: g.Closed, right: g.Closed-last.Closed < r.Seconds/60}
		if named && g.Way != last.Way {
			m.name = g.Way
		}
		last = g
		p.Add(m)
	}
}
