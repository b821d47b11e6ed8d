package vision

import (
	"image"
	"math"

	"maskfleet/pkg/job"
)

// box is a candidate.
type box struct {
	label                    job.Label
	score                    float64 // the network's, 0 to 1
	support                  float64 // once averaged: the scores of all that agrees, summed
	confidence               float64 // once judged, 0 to 1
	left, top, right, bottom float64 // in pixels of the network's input, later of the photo
}

func (b *box) area() float64 { return (b.right - b.left) * (b.bottom - b.top) }

// sound says that the box can be computed with: a network may say that a face is
// infinitely large, or nowhere.
func (b *box) sound() bool {
	area := b.area()
	return b.left < b.right && b.top < b.bottom && area > 0 && !math.IsInf(area, 0) && b.score > 0
}

func (b *box) longest() float64 { return max(b.right-b.left, b.bottom-b.top) }

// Face is a face as the network gave it, to its full precision.
type Face struct {
	Label                    job.Label
	Confidence               float64 // 0 to 1
	Left, Top, Right, Bottom float64 // pixels of the upright photo, inside it
}

// toPhoto moves boxes from a network's input to the photo: filled is where the part
// of the photo lay in the input. What lies wholly outside the photo is dropped.
func toPhoto(found []box, filled image.Rectangle, part area) []box {
	across, down := part.width()/float64(filled.Dx()), part.height()/float64(filled.Dy())
	inPhoto := found[:0]
	for _, b := range found {
		b.left, b.right = part.left+b.left*across, part.left+b.right*across
		b.top, b.bottom = part.top+b.top*down, part.top+b.bottom*down
		if b.left < part.right && b.right > part.left && b.top < part.bottom && b.bottom > part.top {
			inPhoto = append(inPhoto, b)
		}
	}
	return inPhoto
}

// area is a part of a photo, in its pixels.
type area struct{ left, top, right, bottom float64 }

func (a area) width() float64 { return a.right - a.left }

func (a area) height() float64 { return a.bottom - a.top }

func (a area) longest() float64 { return max(a.width(), a.height()) }

// toFaces cuts the boxes at the photo's edges.
func toFaces(found []box, size image.Point) []Face {
	faces := make([]Face, 0, len(found))
	for _, b := range found {
		f := Face{
			Label: b.label, Confidence: b.confidence,
			Left: max(b.left, 0), Top: max(b.top, 0),
			Right: min(b.right, float64(size.X)), Bottom: min(b.bottom, float64(size.Y)),
		}
		if f.Left < f.Right && f.Top < f.Bottom {
			faces = append(faces, f)
		}
	}
	return faces
}

// wholePixels gives the faces as they are recorded. One of less than a pixel is dropped.
func wholePixels(faces []Face) []job.Face {
	recorded := make([]job.Face, 0, len(faces))
	for _, f := range faces {
		b := job.Box{XMin: pixel(f.Left), YMin: pixel(f.Top), XMax: pixel(f.Right), YMax: pixel(f.Bottom)}
		if b.XMin < b.XMax && b.YMin < b.YMax {
			recorded = append(recorded, job.Face{Label: f.Label, Confidence: fourPlaces(f.Confidence), Box: b})
		}
	}
	return recorded
}

func pixel(at float64) int { return int(math.Round(at)) }

// fourPlaces rounds; more would say nothing and cost bytes.
func fourPlaces(confidence float64) float64 { return math.Round(confidence*1e4) / 1e4 }
