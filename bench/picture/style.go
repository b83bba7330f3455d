package picture

import (
	"image/color"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// boldWeight is font.WeightBold of golang.org/x/image, in which plot counts.
const boldWeight = 3

// Letters is a style of text.
func Letters(size vg.Length, bold bool, colour color.Color) draw.TextStyle {
	face := plot.DefaultFont
	face.Variant, face.Size = "Sans", size
	if bold {
		face.Weight = boldWeight
	}
	return draw.TextStyle{Color: colour, Font: face, Handler: plot.DefaultTextHandler}
}

// NewPlot returns an empty plot with our letters.
func NewPlot() *plot.Plot {
	p := plot.New()
	p.Title.TextStyle = Letters(13, true, color.Black)
	p.Title.TextStyle.XAlign, p.Title.TextStyle.YAlign = draw.XCenter, draw.YTop
	p.Title.Padding = 2 * vg.Millimeter
	for _, axis := range []*plot.Axis{&p.X, &p.Y} {
		axis.Label.TextStyle = like(axis.Label.TextStyle, 11)
		axis.Tick.Label = like(axis.Tick.Label, 10)
	}
	p.Legend.TextStyle = Letters(10, false, color.Black)
	p.Legend.Top, p.Legend.Padding = true, vg.Points(3)
	return p
}

// like is our letters, where the other style has them.
func like(other draw.TextStyle, size vg.Length) draw.TextStyle {
	style := Letters(size, false, color.Black)
	style.XAlign, style.YAlign, style.Rotation = other.XAlign, other.YAlign, other.Rotation
	return style
}

// Grey is the colour of what shall not be in front.
func Grey() color.Color { return color.NRGBA{0x6a, 0x6a, 0x6a, 0xff} }

// Pale is the colour of lines that only help the eye.
func Pale() color.Color { return color.NRGBA{0xdd, 0xdd, 0xdd, 0xff} }

// Colour is the colour of series n. They are those of Okabe and Ito, which people
// who see no red or no green can tell apart, without the yellow that is too pale.
func Colour(n int) color.Color {
	colours := []color.NRGBA{
		{0x00, 0x72, 0xb2, 0xff}, {0xe6, 0x9f, 0x00, 0xff}, {0x00, 0x9e, 0x73, 0xff}, {0xd5, 0x5e, 0x00, 0xff},
		{0x56, 0xb4, 0xe9, 0xff}, {0xcc, 0x79, 0xa7, 0xff}, {0x00, 0x00, 0x00, 0xff},
	}
	return colours[n%len(colours)]
}
