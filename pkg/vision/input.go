package vision

import (
	"image"

	"gocv.io/x/gocv"

	"maskfleet/pkg/visionconfig"
)

// input is what a network wants to be given, at one working point.
type input struct {
	size       image.Point // the largest; the only one where it is fixed
	multipleOf int         // of both sides; 0: the size is fixed
	stretch    bool        // to the size, whatever the photo's shape
	feed       feed
}

// feed says how bytes become the network's numbers: channel c of its input is
// (channel order[c] of a picture in BGR - mean[c]) * scale[c].
type feed struct {
	order [3]int32
	mean  [3]float32
	scale [3]float32
}

func newInput(m manifestInput, point visionconfig.WorkingPoint) input {
	in := input{
		size:    image.Pt(m.Width, m.Height),
		stretch: m.Fit == fitStretch,
		feed:    feed{order: [3]int32{0, 1, 2}, mean: [3]float32(m.Mean), scale: [3]float32(m.Scale)},
	}
	if m.Channels == "rgb" {
		in.feed.order = [3]int32{2, 1, 0}
	}
	if !m.fixed() {
		in.size = image.Pt(m.LongerSide[point], m.LongerSide[point])
		in.multipleOf = m.MultipleOf
	}
	return in
}

// samples are sizes that photos of common shapes lead to.
func (in input) samples() []image.Point {
	if in.multipleOf == 0 {
		return []image.Point{in.size}
	}
	flat := roundUp(in.size.Y*3/4, in.multipleOf)
	return []image.Point{in.size, {X: in.size.X, Y: flat}, {X: flat, Y: in.size.Y}}
}

// fitted is a picture as the network sees it.
type fitted struct {
	canvas  gocv.Mat        // BGR, 8 bits, without gaps
	filled  image.Rectangle // where the picture lies on it
	stretch bool
}

// shows says that a thumbnail of the picture can be made from what the network saw.
func (f fitted) shows(picture gocv.Mat) bool {
	side := longest(f.filled.Size())
	return !f.stretch && thumbnailSide <= side && side <= longest(sizeOf(picture))
}

// fit scales the picture to the network's size, small ones up too, as the network was
// trained. What is left of the canvas, to the right or below, stays black; there is
// no more of it than a multiple of what the network wants.
func (in input) fit(picture gocv.Mat) fitted {
	size := sizeOf(picture)
	filled, canvas := in.size, in.size
	if !in.stretch {
		scale := min(float64(in.size.X)/float64(size.X), float64(in.size.Y)/float64(size.Y))
		filled = scaled(size, scale)
	}
	if in.multipleOf > 0 {
		canvas = image.Pt(roundUp(filled.X, in.multipleOf), roundUp(filled.Y, in.multipleOf))
	}
	f := fitted{filled: image.Rectangle{Max: filled}, stretch: in.stretch}
	if filled == canvas {
		f.canvas = gocv.NewMat()
		resize(picture, &f.canvas, filled)
		return f
	}
	f.canvas = gocv.NewMatWithSizeFromScalar(gocv.Scalar{}, canvas.Y, canvas.X, gocv.MatTypeCV8UC3)
	part := f.canvas.Region(f.filled)
	defer part.Close()
	resize(picture, &part, filled)
	return f
}

func roundUp(n, multiple int) int { return (n + multiple - 1) / multiple * multiple }
