package vision

import (
	"bytes"
	"encoding/binary"

	"gocv.io/x/gocv"
)

// orientation is how a camera was held: EXIF's number, 1 for upright.
type orientation int

// exifOrientation reads the orientation out of a TIFF structure, as EXIF data is one;
// 1 where there is none or it cannot be read: many files are a little wrong, and the
// photo is still a photo.
func exifOrientation(exif []byte) orientation {
	exif = bytes.TrimPrefix(exif, []byte("Exif\x00\x00")) // some programs write JPEG's prefix everywhere
	if len(exif) < 8 {
		return 1
	}
	var order binary.ByteOrder
	switch string(exif[:4]) {
	case "II*\x00":
		order = binary.LittleEndian
	case "MM\x00*":
		order = binary.BigEndian
	default:
		return 1
	}
	directory := uint64(order.Uint32(exif[4:]))
	if directory+2 > uint64(len(exif)) {
		return 1
	}
	entries := exif[directory+2:]
	const entryBytes, tagOrientation, typeShort = 12, 0x0112, 3
	for range order.Uint16(exif[directory:]) {
		if len(entries) < entryBytes {
			return 1
		}
		if order.Uint16(entries) == tagOrientation && order.Uint16(entries[2:]) == typeShort {
			return orientation(order.Uint16(entries[8:])).orUpright()
		}
		entries = entries[entryBytes:]
	}
	return 1
}

func (o orientation) orUpright() orientation {
	if 1 <= o && o <= 8 {
		return o
	}
	return 1
}

// sideways says that the stored rows are the upright photo's columns.
func (o orientation) sideways() bool { return o >= 5 }

// upright turns pixels that were stored with the orientation; it takes them over.
func upright(pixels gocv.Mat, o orientation) gocv.Mat {
	if o.sideways() {
		turned := gocv.NewMat()
		gocv.Transpose(pixels, &turned)
		_ = pixels.Close()
		pixels = turned
	}
	const flipRows, flipColumns, flipBoth = 0, 1, -1
	flip := map[orientation]int{
		2: flipColumns, 3: flipBoth, 4: flipRows,
		6: flipColumns, 7: flipBoth, 8: flipRows,
	}
	if code, ok := flip[o]; ok {
		gocv.Flip(pixels, &pixels, code)
	}
	return pixels
}
