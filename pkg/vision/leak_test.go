//go:build matprofile

package vision

import (
	"image"
	"image/color"
	"testing"

	"gocv.io/x/gocv"

	"maskfleet/pkg/vision/visiontest"
)

// Native memory is not the garbage collector's: every matrix must be closed. gocv
// counts them under the build tag matprofile; not in parallel with other tests.
func TestEveryMatrixIsClosed(t *testing.T) {
	for _, cfg := range everyConfig() {
		d := newDetectorOf(t, cfg)
		before := gocv.MatProfile.Count()
		for _, data := range [][]byte{
			visiontest.JPEG(300, 200),
			visiontest.JPEG(640, 480),
			visiontest.JPEG(1280, 720, visiontest.Face{Centre: image.Pt(300, 300), Radius: 110, Masked: true}),
			visiontest.JPEG(4032, 3024),
			visiontest.JPEG(640, 480)[:4000],
			webpWithOrientation(asWebP(t, corners(96, 64)), image.Pt(96, 64), 7),
			[]byte("not a photo"),
			cmykJPEG(color.CMYK{M: 255}),
		} {
			_, _ = d.Analyze(data)
			_, _ = d.Detect(data)
		}
		if after := gocv.MatProfile.Count(); after != before {
			t.Errorf("%s: %d matrices are open, %d were before", wordsFor(cfg), after, before)
		}
	}
}
