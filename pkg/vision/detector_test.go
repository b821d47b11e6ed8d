package vision

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"testing"

	"github.com/google/go-cmp/cmp"

	"maskfleet/pkg/job"
	"maskfleet/pkg/vision/visiontest"
	"maskfleet/pkg/visionconfig"
)

// The tests of the detector take turns on their own one: a network is not safe for
// concurrent use, and loading one takes little.
func newDetector(tb testing.TB) *Detector {
	tb.Helper()
	return newDetectorOf(tb, accurate())
}

func newDetectorOf(tb testing.TB, cfg Config) *Detector {
	tb.Helper()
	d, err := New(cfg)
	if err != nil {
		tb.Fatalf("New: %v", err)
	}
	tb.Cleanup(d.Close)
	return d
}

func accurate() Config {
	return Config{WorkingPoint: visionconfig.Accurate, Tiles: visionconfig.TilesOff}
}

func decodeResult(t *testing.T, data []byte) image.Image {
	t.Helper()
	picture, err := jpeg.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatalf("the result is not a JPEG: %v", err)
	}
	return picture
}

func TestAnalyzeFindsFaces(t *testing.T) {
	t.Parallel()
	d := newDetector(t)
	photo := visiontest.JPEG(1280, 720,
		visiontest.Face{Centre: image.Pt(300, 300), Radius: 110, Masked: true},
		visiontest.Face{Centre: image.Pt(900, 300), Radius: 110, Masked: false},
	)
	got, err := d.Analyze(photo)
	if err != nil {
		t.Fatal(err)
	}
	if got.Width != 1280 || got.Height != 720 {
		t.Errorf("size is %d × %d, want 1280 × 720", got.Width, got.Height)
	}
	labelAt := map[bool]job.Label{}
	for _, f := range got.Faces {
		labelAt[f.Box.XMin < 640] = f.Label
	}
	want := map[bool]job.Label{true: job.LabelMasked, false: job.LabelUnmasked}
	if diff := cmp.Diff(want, labelAt); diff != "" || len(got.Faces) != 2 {
		t.Errorf("%d faces, labels by left half (-want +got):\n%s", len(got.Faces), diff)
	}
	again, err := d.Analyze(photo)
	if err != nil {
		t.Fatal(err)
	}
	got.Steps, again.Steps = Steps{}, Steps{}
	if diff := cmp.Diff(got, again); diff != "" {
		t.Errorf("the same photo gave another answer (-first +second):\n%s", diff)
	}
}

func TestAnalyzeDrawsGreenAndRed(t *testing.T) {
	t.Parallel()
	d := newDetector(t)
	for name, c := range map[string]struct {
		masked bool
		green  bool
	}{"masked": {true, true}, "unmasked": {false, false}} {
		got, err := d.Analyze(visiontest.JPEG(640, 480, visiontest.Face{Centre: image.Pt(320, 200), Radius: 90, Masked: c.masked}))
		if err != nil {
			t.Fatal(err)
		}
		if len(got.Faces) != 1 {
			t.Fatalf("%s: %d faces, want 1", name, len(got.Faces))
		}
		box := got.Faces[0].Box
		for what, data := range map[string][]byte{"annotated": got.AnnotatedJPEG, "thumbnail": got.ThumbnailJPEG} {
			picture := decodeResult(t, data)
			scale := float64(picture.Bounds().Dx()) / 640
			edge := picture.At(int(float64(box.XMin)*scale), int(float64(box.YMin+box.YMax)/2*scale))
			r, g, _, _ := edge.RGBA()
			if (g > r) != c.green {
				t.Errorf("%s: the box's edge in the %s is %v", name, what, edge)
			}
		}
	}
}

func TestAnalyzeKeepsColours(t *testing.T) {
	t.Parallel()
	d := newDetector(t)
	var red bytes.Buffer
	if err := png.Encode(&red, flat(800, 600, color.RGBA{R: 255, A: 255})); err != nil {
		t.Fatal(err)
	}
	got, err := d.Analyze(red.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Faces) != 0 {
		t.Errorf("%d faces in a red picture", len(got.Faces))
	}
	for what, data := range map[string][]byte{"annotated": got.AnnotatedJPEG, "thumbnail": got.ThumbnailJPEG} {
		if c := decodeResult(t, data).At(100, 100); !isNear(c, color.RGBA{R: 255, A: 255}) {
			t.Errorf("the %s is %v, want red", what, c)
		}
	}
}

func TestAnalyzeBoundsWhatItGives(t *testing.T) {
	t.Parallel()
	d := newDetector(t)
	for name, c := range map[string]struct{ width, height, annotated, thumbnail int }{
		"small":          {200, 100, 200, 200},
		"between":        {400, 300, 400, 320},
		"ordinary":       {1200, 1600, 1600, 320},
		"reduced":        {4032, 3024, 2016, 320},
		"large, a fine":  {3000, 2000, 2048, 320},
		"long and thin":  {8192, 32, 2048, 320},
		"tall and thin":  {32, 8000, 2000, 320},
		"smallest":       {32, 32, 32, 32},
		"reduced by odd": {4001, 3999, 2001, 320},
	} {
		got, err := d.Analyze(visiontest.JPEG(c.width, c.height))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		annotated, thumbnail := decodeResult(t, got.AnnotatedJPEG).Bounds().Size(), decodeResult(t, got.ThumbnailJPEG).Bounds().Size()
		if got.Width != c.width || got.Height != c.height || longest(annotated) != c.annotated || longest(thumbnail) != c.thumbnail {
			t.Errorf("%s: size %d × %d, annotated %v, thumbnail %v", name, got.Width, got.Height, annotated, thumbnail)
		}
	}
}

func TestAnalyzeGivesBoxesOfTheWholePhoto(t *testing.T) {
	t.Parallel()
	d := newDetector(t)
	got, err := d.Analyze(visiontest.JPEG(4000, 3000, visiontest.Face{Centre: image.Pt(3000, 1000), Radius: 500, Masked: true}))
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Faces) != 1 || !image.Pt(3000, 1000).In(rectangle(got.Faces[0].Box)) || got.Faces[0].Box.XMax-got.Faces[0].Box.XMin < 600 {
		t.Errorf("faces are %+v, want one round (3000, 1000)", got.Faces)
	}
}

func TestAnalyzeRefuses(t *testing.T) {
	t.Parallel()
	d := newDetector(t)
	whole := visiontest.JPEG(640, 480)
	for name, c := range map[string]struct {
		data []byte
		want job.Code
	}{
		"nothing":             {nil, job.CodeUnsupportedFormat},
		"text":                {[]byte("not a photo"), job.CodeUnsupportedFormat},
		"half a JPEG":         {whole[:len(whole)/2], job.CodeDecodeFailed},
		"a JPEG of no pixels": {[]byte("\xff\xd8\xff\xd9"), job.CodeDecodeFailed},
		"too small":           {visiontest.JPEG(31, 400), job.CodeImageTooSmall},
		"too large":           {visiontest.JPEG(8193, 40), job.CodeImageTooLarge},
	} {
		_, err := d.Analyze(c.data)
		var failure *job.Failure
		if !errors.As(err, &failure) || failure.Code != c.want {
			t.Errorf("%s: error is %v, want %s", name, err, c.want)
		}
	}
}

func flat(width, height int, c color.Color) image.Image {
	picture := image.NewNRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			picture.Set(x, y, c)
		}
	}
	return picture
}

func rectangle(b job.Box) image.Rectangle { return image.Rect(b.XMin, b.YMin, b.XMax, b.YMax) }

// isNear allows for what JPEG does to a colour.
func isNear(got, want color.Color) bool {
	r, g, b, _ := got.RGBA()
	wr, wg, wb, _ := want.RGBA()
	for _, pair := range [][2]uint32{{r, wr}, {g, wg}, {b, wb}} {
		if difference := int(pair[0]>>8) - int(pair[1]>>8); difference > 12 || difference < -12 {
			return false
		}
	}
	return true
}
