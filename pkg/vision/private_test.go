package vision

import (
	"bytes"
	"encoding/binary"
	"image"
	"testing"

	"maskfleet/pkg/vision/visiontest"
)

// withPrivateData puts a camera's EXIF with a place, a comment and an XMP packet into
// a JPEG.
func withPrivateData(data []byte) []byte {
	segment := func(marker byte, content string) []byte {
		head := []byte{0xff, marker, 0, 0}
		binary.BigEndian.PutUint16(head[2:], uint16(len(content)+2))
		return append(head, content...)
	}
	tiff := "MM\x00\x2a\x00\x00\x00\x08" + // one entry: the serial number of a camera
		"\x00\x01\xa4\x31\x00\x02\x00\x00\x00\x14\x00\x00\x00\x1a\x00\x00\x00\x00" + "SECRET-GPS-49.4521N\x00"
	out := bytes.Clone(data[:2])
	out = append(out, segment(0xe1, "Exif\x00\x00"+tiff)...)
	out = append(out, segment(0xe1, "http://ns.adobe.com/xap/1.0/\x00<x:xmpmeta>SECRET-XMP</x:xmpmeta>")...)
	out = append(out, segment(0xfe, "SECRET-COMMENT")...)
	return append(out, data[2:]...)
}

// What is shown or passed on of a photo says nothing of where, when and by whom it
// was taken.
func TestResultsCarryNoPrivateData(t *testing.T) {
	t.Parallel()
	d := newDetector(t)
	photo := withPrivateData(visiontest.JPEG(1280, 720, visiontest.Face{Centre: image.Pt(300, 300), Radius: 110, Masked: true}))
	got, err := d.Analyze(photo)
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{"annotated": got.AnnotatedJPEG, "thumbnail": got.ThumbnailJPEG} {
		decodeResult(t, data)
		for _, trace := range []string{"SECRET", "Exif", "xmpmeta", "\xff\xe1", "\xff\xfe"} {
			// The two markers cannot stand in a JPEG's pixels.
			if at := bytes.Index(data, []byte(trace)); at >= 0 {
				t.Errorf("the %s copy has %q at %d", name, trace, at)
			}
		}
	}
}
