package eval

import "math"

// Box is a rectangle in pixels of the upright photo, as COCO has it.
type Box struct {
	X, Y, Width, Height float64
}

func (b Box) area() float64 { return b.Width * b.Height }

// side is that of a square as large as the box.
func (b Box) side() float64 { return math.Sqrt(b.area()) }

func (b Box) overlap(other Box) float64 {
	width := min(b.X+b.Width, other.X+other.Width) - max(b.X, other.X)
	height := min(b.Y+b.Height, other.Y+other.Height) - max(b.Y, other.Y)
	return max(0, width) * max(0, height)
}

// iou is the intersection over the union, 0 to 1.
func (b Box) iou(other Box) float64 {
	overlap := b.overlap(other)
	if overlap == 0 {
		return 0
	}
	return overlap / (b.area() + other.area() - overlap)
}

// inside is the share of the box that lies in the region.
func (b Box) inside(region Box) float64 {
	if b.area() == 0 {
		return 0
	}
	return b.overlap(region) / b.area()
}
