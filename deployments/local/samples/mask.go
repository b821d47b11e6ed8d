package samples

import (
	"image"
	"image/draw"
	"math"
)

// A mask is a cloth between two edges: one from cheek to cheek over the bridge of
// the nose, one along the jaw around the chin. A place on the cloth has two
// coordinates from 0 to 1: u from left to right, v from the upper edge to the lower.
type cloth struct {
	upper, lower curve
	ridge        float64 // u of the nose
}

func clothOn(f face) cloth {
	upper, ridge := curveThrough(f.upperLeft, f.bridge, f.upperRight)
	lower, _ := curveThrough(f.lowerLeft, f.chin, f.lowerRight)
	return cloth{upper: upper, lower: lower, ridge: ridge}
}

func (c cloth) at(u, v float64) point { return between(c.upper.at(u), c.lower.at(u), v) }

// width and height are in pixels, and rather too large than too small.
func (c cloth) width() float64 { return max(c.upper.length(), c.lower.length()) }

func (c cloth) height() float64 {
	return max(distance(c.upper.from, c.lower.from), distance(c.upper.control, c.lower.control), distance(c.upper.to, c.lower.to))
}

// The colours of a surgical mask in plain daylight, and of skin, from which the
// light that falls on a face is told.
func fabric() rgb  { return rgb{0.60, 0.80, 0.93} }
func binding() rgb { return rgb{0.80, 0.90, 0.96} }
func elastic() rgb { return rgb{0.93, 0.94, 0.96} }
func skin() rgb    { return rgb{0.72, 0.53, 0.44} }

// putMasks gives a copy of the photo in which the faces wear masks.
func putMasks(original image.Image, faces []face) *image.RGBA {
	picture := image.NewRGBA(original.Bounds())
	draw.Draw(picture, picture.Bounds(), original, original.Bounds().Min, draw.Src)
	light := newLight(picture)
	for _, f := range faces {
		c := clothOn(f)
		paint := newLayer(f.bounds())
		paint.loops(f, c, light)
		paint.cloth(c, light)
		paint.flatten(picture)
	}
	return picture
}

// cloth lays the mask down so densely that no sample of the layer stays bare.
func (l *layer) cloth(c cloth, light light) {
	across, down := samplesAlong(c.width()), samplesAlong(c.height())
	reach := c.width() / 5
	for j := range down + 1 {
		v := float64(j) / float64(down)
		shade := pleats(v)
		for i := range across + 1 {
			u := float64(i) / float64(across)
			p := c.at(u, v)
			l.dot(p, c.colour(u, v).scaled(shade).times(light.at(p, reach)))
		}
	}
}

// samplesAlong is how many samples leave no gap on a way of the length, even where
// a curve hurries.
func samplesAlong(length float64) int { return int(math.Ceil(2 * oversampling * length)) }

// colour is the cloth without its pleats, as it would look under even light.
func (c cloth) colour(u, v float64) rgb {
	const hem = 0.035
	base := fabric()
	if v < hem || v > 1-hem || u < hem || u > 1-hem {
		base = binding()
	}
	return base.scaled(c.roundness(u, v))
}

// pleats are three folds across the cloth: a bright ridge with a shadow below it.
func pleats(v float64) float64 {
	shade := 1.0
	for _, fold := range []float64{0.36, 0.54, 0.72} {
		shade -= 0.20 * bell(v-fold, 0.012)
		shade += 0.07 * bell(v-fold+0.035, 0.025)
	}
	return shade
}

// roundness is the light and shade of a cloth that stands out over the nose and
// falls away to the ears and below the chin.
func (c cloth) roundness(u, v float64) float64 {
	side := (u - c.ridge) / max(c.ridge, 1-c.ridge) // -1 to 1, 0 on the nose
	shade := 1.04 - 0.26*side*side - 0.20*v*v
	shade += 0.10 * bell(u-c.ridge, 0.10) * bell(v-0.18, 0.12)     // the nose
	shade += 0.05 * bell(v-0.09, 0.02) * bell(u-c.ridge, 0.20)     // the wire over it
	shade -= 0.06 * bell(u-c.ridge-0.2, 0.06) * bell(v-0.15, 0.12) // beside it
	shade -= 0.05*bell(v-0.04, 0.008) + 0.05*bell(v-0.96, 0.008)   // the seams
	return shade
}

// bell is 1 at 0 and falls off over the width to both sides, much as a Gaussian
// does, which would take most of the time of a whole drawing.
func bell(x, width float64) float64 {
	b := 1 / (1 + x*x/(8*width*width))
	return b * b * b * b
}

// loops draws the elastics to the ears that can be seen.
func (l *layer) loops(f face, c cloth, light light) {
	width := max(1.6, c.width()/75)
	for _, loop := range []struct {
		ear  point
		side float64 // u of the edge it hangs on
	}{{f.earLeft, 0}, {f.earRight, 1}} {
		if loop.ear == (point{}) {
			continue
		}
		l.cord(c.at(loop.side, 0.05), loop.ear, width, light)
		l.cord(c.at(loop.side, 0.92), loop.ear, width, light)
	}
}

func (l *layer) cord(from, to point, width float64, light light) {
	steps := samplesAlong(distance(from, to))
	for i := range steps + 1 {
		p := between(from, to, float64(i)/float64(steps))
		l.disc(p, width/2, elastic().times(light.at(p, 4*width)))
	}
}
