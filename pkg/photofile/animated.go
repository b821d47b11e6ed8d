package photofile

import (
	"bytes"
	"encoding/binary"
	"slices"
)

// animatedPNG looks for an acTL chunk before the first IDAT (PNG, third edition,
// 11.3.6.1).
func animatedPNG(data []byte) bool { return firstChunk(data, "acTL", "IDAT") == "acTL" }

// reachesPixels says whether a PNG goes on to its first pixels.
func reachesPixels(data []byte) bool { return firstChunk(data, "IDAT") == "IDAT" }

// firstChunk walks over a PNG's chunks up to the first of the given kinds; "" if the
// file ends before.
func firstChunk(data []byte, kinds ...string) string {
	const signature, chunkHeader, checksum = 8, 8, 4
	for at := uint64(signature); at+chunkHeader <= uint64(len(data)); {
		kind := string(data[at+4 : at+chunkHeader])
		if slices.Contains(kinds, kind) {
			return kind
		}
		at += chunkHeader + uint64(binary.BigEndian.Uint32(data[at:])) + checksum
	}
	return ""
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
