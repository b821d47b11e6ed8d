package photofile

import (
	"bytes"
	"encoding/binary"
)

// animatedPNG looks for an acTL chunk before the first IDAT (PNG, third edition,
// 11.3.6.1).
func animatedPNG(data []byte) bool {
	const signature, chunkFrame = 8, 12 // length, type and checksum of a chunk
	for rest := data[signature:]; len(rest) >= chunkFrame; {
		length := binary.BigEndian.Uint32(rest)
		switch string(rest[4:8]) {
		case "acTL":
			return true
		case "IDAT":
			return false
		}
		if uint64(length)+chunkFrame > uint64(len(rest)) {
			return false
		}
		rest = rest[chunkFrame+length:]
	}
	return false
}

func isWebP(data []byte) bool {
	return len(data) >= 12 && bytes.HasPrefix(data, []byte("RIFF")) && string(data[8:12]) == "WEBP"
}

// animatedWebP reads the animation flag of the extended header (WebP container
// specification, "Extended File Format").
func animatedWebP(data []byte) bool {
	const flags, animation = 20, 0x02
	return len(data) > flags && string(data[12:16]) == "VP8X" && data[flags]&animation != 0
}
