package vision

import (
	"errors"
	"fmt"
	"image"

	"gocv.io/x/gocv"

	"maskfleet/pkg/job"
)

// photo is a decoded photo. Its pixels may be fewer than the photo has.
type photo struct {
	pixels gocv.Mat    // BGR, 8 bits, upright
	size   image.Point // of the whole upright photo
}

// enoughSide is how many pixels the longer side must have for what is made of
// them: the annotated photo. The network needs fewer still.
const enoughSide = 1920

// decode gives the photo upright and in BGR, whatever its depth and colours: OpenCV
// applies the EXIF orientation of JPEG and PNG, we that of WebP. Of a large JPEG only every second, fourth or eighth
// pixel is computed, which takes a fraction of the time and memory.
func decode(data []byte, h header) (photo, error) {
	flag, divisor := gocv.IMReadColor, 1
	if h.format == formatJPEG {
		flag, divisor = reducedBy(h.size)
	}
	pixels, err := gocv.IMDecode(data, flag)
	if err != nil {
		return photo{}, job.Fail(job.CodeDecodeFailed, err)
	}
	size, err := uprightSize(h.size, sizeOf(pixels), divisor)
	if err == nil && pixels.Type() != gocv.MatTypeCV8UC3 {
		err = fmt.Errorf("decoded to type %d", pixels.Type())
	}
	if err != nil {
		_ = pixels.Close()
		return photo{}, job.Fail(job.CodeDecodeFailed, err)
	}
	if h.turn.sideways() {
		size = image.Pt(size.Y, size.X)
	}
	return photo{pixels: upright(pixels, h.turn), size: size}, nil
}

// reducedBy chooses by how much a JPEG may be reduced.
func reducedBy(size image.Point) (gocv.IMReadFlag, int) {
	reductions := []struct {
		flag    gocv.IMReadFlag
		divisor int
	}{{gocv.IMReadReducedColor8, 8}, {gocv.IMReadReducedColor4, 4}, {gocv.IMReadReducedColor2, 2}}
	for _, r := range reductions {
		reduced := divideUp(size, r.divisor)
		// A photo that is square only once reduced would hide whether it was turned.
		hidden := reduced.X == reduced.Y && size.X != size.Y
		if longest(reduced) >= enoughSide && !hidden {
			return r.flag, r.divisor
		}
	}
	return gocv.IMReadColor, 1
}

// uprightSize tells from the decoded size whether the photo was turned on its side.
func uprightSize(stored, decoded image.Point, divisor int) (image.Point, error) {
	expected := divideUp(stored, divisor)
	switch decoded {
	case image.Point{}:
		return image.Point{}, errors.New("the decoder gave up")
	case expected:
		return stored, nil
	case image.Pt(expected.Y, expected.X):
		return image.Pt(stored.Y, stored.X), nil
	default:
		return image.Point{}, fmt.Errorf("decoded to %v where the file says %v", decoded, expected)
	}
}

func divideUp(size image.Point, divisor int) image.Point {
	return image.Pt((size.X+divisor-1)/divisor, (size.Y+divisor-1)/divisor)
}
