package vision

import (
	"image"

	"gocv.io/x/gocv"
)

// letterbox fits the picture into the upper left of the network's square, the rest
// black, as the network was trained. The scale is input pixels per picture pixel.
func letterbox(picture gocv.Mat) (input gocv.Mat, scale float64) {
	size := sizeOf(picture)
	scale = float64(networkSide) / float64(longest(size))
	input = gocv.NewMatWithSizeFromScalar(gocv.Scalar{}, networkSide, networkSide, gocv.MatTypeCV8UC3)
	filled := filledPart(size, scale)
	part := input.Region(filled)
	defer part.Close()
	resize(picture, &part, filled.Size())
	return input, scale
}

// filledPart is where the picture lies in the square.
func filledPart(size image.Point, scale float64) image.Rectangle {
	return image.Rectangle{Max: scaled(size, scale)}
}
