package samples

import (
	"image"
	"math"
)

func distance(a, b point) float64 { return math.Hypot(a.x-b.x, a.y-b.y) }

// between is the point a share t of the way from a to b.
func between(a, b point, t float64) point {
	return point{a.x + (b.x-a.x)*t, a.y + (b.y-a.y)*t}
}

// curve is a quadratic Bézier curve.
type curve struct{ from, control, to point }

// curveThrough bends a curve so that it passes the middle point, and says at which
// share of its way it does.
func curveThrough(from, middle, to point) (curve, float64) {
	t := distance(from, middle) / (distance(from, middle) + distance(middle, to))
	bend := func(a, m, b float64) float64 { return (m - (1-t)*(1-t)*a - t*t*b) / (2 * t * (1 - t)) }
	control := point{bend(from.x, middle.x, to.x), bend(from.y, middle.y, to.y)}
	return curve{from, control, to}, t
}

func (c curve) at(t float64) point {
	return between(between(c.from, c.control, t), between(c.control, c.to, t), t)
}

// length is never less than the curve's own.
func (c curve) length() float64 { return distance(c.from, c.control) + distance(c.control, c.to) }

// bounds holds all that is painted on the face.
func (f face) bounds() image.Rectangle {
	var r image.Rectangle
	for _, p := range []point{f.bridge, f.upperLeft, f.upperRight, f.lowerLeft, f.lowerRight, f.chin, f.earLeft, f.earRight} {
		if p != (point{}) {
			at := image.Pt(int(p.x), int(p.y))
			r = r.Union(image.Rectangle{Min: at, Max: at.Add(image.Pt(1, 1))})
		}
	}
	margin := -(r.Dx() + r.Dy()) / 4
	return r.Inset(margin)
}
