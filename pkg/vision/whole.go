package vision

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"image"

	"maskfleet/pkg/job"
)

type format int

const (
	formatJPEG format = iota
	formatPNG
	formatWebP
	formatBMP
)

// header is what a file says of itself before any pixel is decoded.
type header struct {
	format format
	size   image.Point // as stored, before any EXIF orientation
	// turn is the orientation that OpenCV leaves to us: a WebP's. Those of JPEG and PNG
	// it applies itself.
	turn orientation
}

// What the door checks before a photo is stored is checked again here, where the
// memory is: 40 megapixels need 480 MB to decode at the worst.
const (
	maxSidePixels = 8192
	minSidePixels = 32
	maxPixels     = 40_000_000
)

var errCut = errors.New("the file ends too early")

// checkWhole reads the file's structure to its end. OpenCV lets half a JPEG pass
// with the rest in grey; a photo that was cut on its way must not count as a photo
// without faces. Only the four formats reach a decoder at all.
func checkWhole(data []byte) (header, error) {
	var (
		h   header
		err error
	)
	switch {
	case bytes.HasPrefix(data, []byte("\xff\xd8\xff")):
		h, err = checkJPEG(data)
	case bytes.HasPrefix(data, []byte(pngSignature)):
		h, err = checkPNG(data)
	case len(data) >= 12 && string(data[:4]) == "RIFF" && string(data[8:12]) == "WEBP":
		h, err = checkWebP(data)
	case bytes.HasPrefix(data, []byte("BM")):
		h, err = checkBMP(data)
	default:
		return header{}, job.Fail(job.CodeUnsupportedFormat, nil)
	}
	if err != nil {
		return header{}, job.Fail(job.CodeDecodeFailed, err)
	}
	return h, nil
}

func checkLimits(h header) error {
	w, l := h.size.X, h.size.Y
	switch {
	case w > maxSidePixels || l > maxSidePixels || w*l > maxPixels:
		return job.Fail(job.CodeImageTooLarge, fmt.Errorf("%d × %d pixels", w, l))
	case w < minSidePixels || l < minSidePixels:
		return job.Fail(job.CodeImageTooSmall, fmt.Errorf("%d × %d pixels", w, l))
	default:
		return nil
	}
}

// checkJPEG walks the segments and the entropy-coded data between them to the end
// of image marker. Looking for that marker alone would find the one of the
// thumbnail in the EXIF data. Phones append videos and more pictures after it.
func checkJPEG(data []byte) (header, error) {
	h := header{format: formatJPEG}
	for at := 2; ; {
		marker, next := nextMarker(data, at)
		switch {
		case next < 0:
			return header{}, errCut
		case marker == 0xd9 && h.size == image.Point{}:
			return header{}, errors.New("a JPEG without a frame")
		case marker == 0xd9:
			return h, nil
		}
		if len(data) < next+2 {
			return header{}, errCut
		}
		length := int(binary.BigEndian.Uint16(data[next:]))
		if length < 2 {
			return header{}, fmt.Errorf("a segment of %d bytes", length)
		}
		if len(data) < next+length {
			return header{}, errCut
		}
		if isFrameStart(marker) {
			if length < 8 {
				return header{}, fmt.Errorf("a frame header of %d bytes", length)
			}
			h.size.Y = int(binary.BigEndian.Uint16(data[next+3:]))
			h.size.X = int(binary.BigEndian.Uint16(data[next+5:]))
		}
		at = next + length
	}
}

// nextMarker finds the next marker that is not part of entropy-coded data, and
// gives the offset after it; -1 where there is none.
func nextMarker(data []byte, at int) (marker byte, next int) {
	for {
		offset := bytes.IndexByte(data[at:], 0xff)
		if offset < 0 || at+offset+1 >= len(data) {
			return 0, -1
		}
		at += offset + 1
		switch m := data[at]; {
		case m == 0xff: // fill byte: this one may begin the marker
		case m == 0x00 || m == 0x01 || (0xd0 <= m && m <= 0xd7): // stuffing, or a marker without a segment
			at++
		default:
			return m, at + 1
		}
	}
}

func isFrameStart(marker byte) bool {
	return 0xc0 <= marker && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc
}
