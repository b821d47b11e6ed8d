package vision

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"image"

	"golang.org/x/image/webp"
)

const pngSignature = "\x89PNG\r\n\x1a\n"

// checkPNG walks the chunks to IEND. What the chunks hold libpng checks itself.
func checkPNG(data []byte) (header, error) {
	h := header{format: formatPNG}
	for at := len(pngSignature); ; {
		if len(data) < at+12 { // length, type, checksum
			return header{}, errCut
		}
		length := uint64(binary.BigEndian.Uint32(data[at:]))
		kind, body := string(data[at+4:at+8]), at+8
		if uint64(len(data)-body) < length+4 {
			return header{}, errCut
		}
		switch {
		case kind == "IHDR" && length == 13:
			h.size.X = int(binary.BigEndian.Uint32(data[body:]))
			h.size.Y = int(binary.BigEndian.Uint32(data[body+4:]))
		case h.size == image.Point{}:
			return header{}, errors.New("a PNG that does not begin with its size")
		case kind == "IEND":
			return h, nil
		}
		at = body + int(length) + 4
	}
}

func checkWebP(data []byte) (header, error) {
	if uint64(len(data)) < 8+uint64(binary.LittleEndian.Uint32(data[4:])) {
		return header{}, errCut
	}
	config, err := webp.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		return header{}, fmt.Errorf("reading the WebP header: %w", err)
	}
	return header{format: formatWebP, size: image.Pt(config.Width, config.Height), turn: webpOrientation(data)}, nil
}

// webpOrientation looks for the chunk of EXIF data, which stands behind the pixels.
func webpOrientation(data []byte) orientation {
	for at := uint64(12); at+8 <= uint64(len(data)); {
		length := uint64(binary.LittleEndian.Uint32(data[at+4:]))
		body := data[at+8:]
		if length > uint64(len(body)) {
			return 1
		}
		if string(data[at:at+4]) == "EXIF" {
			return exifOrientation(body[:length])
		}
		at += 8 + length + length%2
	}
	return 1
}

// checkBMP computes where the pixels end: the size that the file states is wrong in
// many files that are fine.
func checkBMP(data []byte) (header, error) {
	const infoHeader = 14 + 40
	if len(data) < infoHeader {
		return header{}, errCut
	}
	if size := binary.LittleEndian.Uint32(data[14:]); size < 40 {
		return header{}, fmt.Errorf("a BMP header of %d bytes", size)
	}
	pixels := int64(binary.LittleEndian.Uint32(data[10:]))
	width := int64(int32(binary.LittleEndian.Uint32(data[18:])))
	height := int64(int32(binary.LittleEndian.Uint32(data[22:])))
	bitsPerPixel := int64(binary.LittleEndian.Uint16(data[28:]))
	compression := binary.LittleEndian.Uint32(data[30:])
	if height < 0 { // top row first
		height = -height
	}
	const most = 1 << 24 // pixels a side; keeps the product below from overflowing
	if width < 1 || height < 1 || width > most || height > most || bitsPerPixel > 32 {
		return header{}, fmt.Errorf("a BMP of %d × %d pixels of %d bits", width, height, bitsPerPixel)
	}
	const uncompressed, masks = 0, 3
	end := pixels + (width*bitsPerPixel+31)/32*4*height
	if compression != uncompressed && compression != masks {
		end = int64(binary.LittleEndian.Uint32(data[2:])) // run-length coded: only the file can say
	}
	if int64(len(data)) < end {
		return header{}, errCut
	}
	return header{format: formatBMP, size: image.Pt(int(width), int(height))}, nil
}
