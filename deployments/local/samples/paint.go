package samples

import (
	"image"
	"image/color"
	"math"
)

// rgb is a colour or a light, each part about 0 to 1.
type rgb struct{ r, g, b float64 }

func (c rgb) scaled(by float64) rgb { return rgb{c.r * by, c.g * by, c.b * by} }
func (c rgb) times(d rgb) rgb       { return rgb{c.r * d.r, c.g * d.g, c.b * d.b} }
func (c rgb) plus(d rgb) rgb        { return rgb{c.r + d.r, c.g + d.g, c.b + d.b} }

// light is what shines onto a face, told from how the skin there looks, so that a
// mask in a dim red room is dim and reddish. It holds the sums of all pixels above
// and to the left, which make the mean of any rectangle four look-ups.
type light struct {
	bounds image.Rectangle
	sums   []rgb // (width+1) × (height+1)
}

func newLight(picture *image.RGBA) light {
	b := picture.Bounds()
	l := light{bounds: b, sums: make([]rgb, (b.Dx()+1)*(b.Dy()+1))}
	for y := range b.Dy() {
		var row rgb
		for x := range b.Dx() {
			p := picture.RGBAAt(b.Min.X+x, b.Min.Y+y)
			row = row.plus(rgb{float64(p.R), float64(p.G), float64(p.B)}.scaled(1.0 / 255))
			l.sums[(y+1)*(b.Dx()+1)+x+1] = l.sums[y*(b.Dx()+1)+x+1].plus(row)
		}
	}
	return l
}

// at is the light at a place, from what is within reach of it.
func (l light) at(p point, reach float64) rgb {
	r := image.Rect(int(p.x-reach), int(p.y-reach), int(p.x+reach)+1, int(p.y+reach)+1).Intersect(l.bounds)
	r = r.Sub(l.bounds.Min)
	width := l.bounds.Dx() + 1
	sum := l.sums[r.Max.Y*width+r.Max.X].plus(l.sums[r.Min.Y*width+r.Min.X]).
		plus(l.sums[r.Min.Y*width+r.Max.X].plus(l.sums[r.Max.Y*width+r.Min.X]).scaled(-1))
	return fallingOnSkin(sum.scaled(1 / float64(max(1, r.Dx()*r.Dy()))))
}

// fallingOnSkin is the light under which skin looks as it does. People's skins
// differ, and hair and make-up count as skin here, so it keeps within limits and
// takes only half of the tint.
func fallingOnSkin(looks rgb) rgb {
	const least, most = 0.42, 1.12
	base := skin()
	light := rgb{looks.r / base.r, looks.g / base.g, looks.b / base.b}
	grey := (light.r + light.g + light.b) / 3
	part := func(x float64) float64 { return min(max((x+grey)/2, least), most) }
	return rgb{part(light.r), part(light.g), part(light.b)}
}

// oversampling is how many samples a pixel has in each direction: what they agree on
// makes smooth edges.
const oversampling = 2

// layer is something being painted over a part of a picture.
type layer struct {
	bounds  image.Rectangle
	samples []rgb
	painted []bool
}

func newLayer(bounds image.Rectangle) *layer {
	n := bounds.Dx() * bounds.Dy() * oversampling * oversampling
	return &layer{bounds: bounds, samples: make([]rgb, n), painted: make([]bool, n)}
}

// dot paints one sample; a place outside the layer is left out.
func (l *layer) dot(p point, c rgb) {
	x := int(math.Floor((p.x - float64(l.bounds.Min.X)) * oversampling))
	y := int(math.Floor((p.y - float64(l.bounds.Min.Y)) * oversampling))
	if x < 0 || y < 0 || x >= l.bounds.Dx()*oversampling || y >= l.bounds.Dy()*oversampling {
		return
	}
	i := y*l.bounds.Dx()*oversampling + x
	l.samples[i], l.painted[i] = c, true
}

func (l *layer) disc(centre point, radius float64, c rgb) {
	const step = 0.5 / oversampling
	for y := -radius; y <= radius; y += step {
		for x := -radius; x <= radius; x += step {
			if x*x+y*y <= radius*radius {
				l.dot(point{centre.x + x, centre.y + y}, c)
			}
		}
	}
}

// flatten puts the layer onto the picture.
func (l *layer) flatten(picture *image.RGBA) {
	for y := l.bounds.Min.Y; y < l.bounds.Max.Y; y++ {
		for x := l.bounds.Min.X; x < l.bounds.Max.X; x++ {
			sum, cover := l.pixel(x, y)
			if cover == 0 || !(image.Point{X: x, Y: y}).In(picture.Bounds()) {
				continue
			}
			under := picture.RGBAAt(x, y)
			below := rgb{float64(under.R), float64(under.G), float64(under.B)}.scaled((1 - cover) / 255)
			picture.SetRGBA(x, y, sum.plus(below).rgba())
		}
	}
}

// pixel gives a pixel's paint, weighed by how much of the pixel it covers, and that.
func (l *layer) pixel(x, y int) (sum rgb, cover float64) {
	const share = 1.0 / (oversampling * oversampling)
	for dy := range oversampling {
		row := ((y-l.bounds.Min.Y)*oversampling + dy) * l.bounds.Dx() * oversampling
		for dx := range oversampling {
			if i := row + (x-l.bounds.Min.X)*oversampling + dx; l.painted[i] {
				sum = sum.plus(l.samples[i].scaled(share))
				cover += share
			}
		}
	}
	return sum, cover
}

func (c rgb) rgba() color.RGBA {
	part := func(x float64) uint8 { return uint8(math.Round(255 * min(max(x, 0), 1))) }
	return color.RGBA{R: part(c.r), G: part(c.g), B: part(c.b), A: 255}
}
