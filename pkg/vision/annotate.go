package vision

import (
	"image"
	"image/color"

	"gocv.io/x/gocv"

	"maskfleet/pkg/job"
)

const (
	// annotatedSide is the longer side that an annotated photo has at most. It is to
	// be looked at; the original is kept as it is.
	annotatedSide = 2048
	thumbnailSide = 320
)

// drawAnnotated draws the faces on the photo's own pixels where they are few
// enough, else on a smaller copy. The caller closes what it gives.
func drawAnnotated(p photo, faces []job.Face) gocv.Mat {
	canvas := shrunk(p.pixels, annotatedSide)
	drawFaces(&canvas, p.size, faces)
	return canvas
}

// drawThumbnail makes the thumbnail from what the network saw, which is a reduced
// photo already; from the photo itself where that is a grown, small or stretched one.
func drawThumbnail(p photo, seen fitted, faces []job.Face) gocv.Mat {
	if !seen.shows(p.pixels) {
		small := shrunk(p.pixels, thumbnailSide)
		defer small.Close()
		canvas := small.Clone() // small may be the photo's own pixels
		drawFaces(&canvas, p.size, faces)
		return canvas
	}
	part := seen.canvas.Region(seen.filled)
	defer part.Close()
	canvas := shrunk(part, thumbnailSide)
	drawFaces(&canvas, p.size, faces)
	return canvas
}

// shrunk gives the picture with a longer side of at most side: the very same pixels
// where that holds already.
func shrunk(picture gocv.Mat, side int) gocv.Mat {
	size := sizeOf(picture)
	if longest(size) <= side {
		return view(picture)
	}
	small := gocv.NewMat()
	scale := float64(side) / float64(longest(size))
	resize(picture, &small, scaled(size, scale))
	return small
}

// drawFaces draws a rectangle round each face, given in pixels of a photo of size.
func drawFaces(canvas *gocv.Mat, size image.Point, faces []job.Face) {
	scale := float64(canvas.Cols()) / float64(size.X)
	for _, f := range faces {
		rectangle := image.Rectangle{
			Min: onCanvas(f.Box.XMin, f.Box.YMin, scale),
			Max: onCanvas(f.Box.XMax, f.Box.YMax, scale),
		}
		gocv.Rectangle(canvas, rectangle, colourOf(f.Label), lineWidth(longest(sizeOf(*canvas))))
	}
}

func onCanvas(x, y int, scale float64) image.Point {
	return image.Pt(int(float64(x)*scale), int(float64(y)*scale))
}

// colourOf is green for a mask that is worn and red for anything else.
func colourOf(label job.Label) color.RGBA {
	if label == job.LabelMasked {
		return color.RGBA{R: 0, G: 200, B: 0, A: 255}
	}
	return color.RGBA{R: 230, G: 0, B: 0, A: 255}
}

// lineWidth grows with the picture, so that a line is seen at any size.
func lineWidth(longerSide int) int { return max(2, (longerSide+200)/400) }
