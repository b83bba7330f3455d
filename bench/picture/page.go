package picture

import (
	"image/color"
	"io"
	"strings"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
)

// Width is that of every page.
const Width = 12 * vg.Inch

const (
	dpi       = 110
	margin    = 5 * vg.Millimeter
	titleAt   = 34 // points below the upper edge
	subAt     = 55
	headRoom  = 1.1 * vg.Inch
	smallSize = 8
	smallLine = 11 // points from line to line
)

// Page is a picture that is being made.
type Page struct {
	Body draw.Canvas // where plots go: it has margins, and leaves head and foot free

	image *vgimg.Canvas
	whole draw.Canvas
}

// NewPage returns an empty page whose body has this height.
func NewPage(body vg.Length, smallPrint string) *Page {
	foot := 2*margin + vg.Length(strings.Count(smallPrint, "\n")+1)*smallLine
	if smallPrint == "" {
		foot = margin
	}
	p := &Page{image: vgimg.NewWith(vgimg.UseWH(Width, body+headRoom+foot), vgimg.UseDPI(dpi))}
	p.whole = draw.New(p.image)
	p.Body = draw.Crop(p.whole, margin, -margin, foot, -headRoom)
	for i, line := range strings.Split(smallPrint, "\n") {
		at := vg.Point{X: margin, Y: foot - margin - vg.Length(i+1)*smallLine}
		p.whole.FillText(Letters(smallSize, false, Grey()), at, line)
	}
	return p
}

// Head writes title and subtitle.
func (p *Page) Head(title string, colour color.Color, subtitle string) {
	left := p.whole.Min.X + margin
	p.whole.FillText(Letters(20, true, colour), vg.Point{X: left, Y: p.whole.Max.Y - titleAt}, title)
	p.whole.FillText(Letters(11, false, color.Black), vg.Point{X: left, Y: p.whole.Max.Y - subAt}, subtitle)
}

// WriteTo writes the page as a PNG.
func (p *Page) WriteTo(w io.Writer) (int64, error) {
	return vgimg.PngCanvas{Canvas: p.image}.WriteTo(w)
}
