package vision

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/image/bmp"

	"maskfleet/pkg/job"
	"maskfleet/pkg/vision/visiontest"
	"maskfleet/pkg/visionconfig"
)

// everyConfig is each way in which the embedded model can look at a photo.
func everyConfig() []Config {
	return []Config{
		{WorkingPoint: visionconfig.Fast, Tiles: visionconfig.TilesOff},
		{WorkingPoint: visionconfig.Accurate, Tiles: visionconfig.TilesOff},
		{WorkingPoint: visionconfig.Accurate, Tiles: visionconfig.TilesAuto},
	}
}

func wordsFor(cfg Config) string { return fmt.Sprintf("%s tiles %s", cfg.WorkingPoint, cfg.Tiles) }

// pattern paints every pixel.
func pattern(width, height int, at func(x, y int) color.Color) image.Image {
	picture := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			picture.Set(x, y, at(x, y))
		}
	}
	return picture
}

func grey(level int) color.Color { return color.Gray{Y: uint8(min(max(level, 0), 255))} }

// withoutFaces are pictures in which nobody sees a face.
func withoutFaces() map[string]image.Image {
	random := rand.New(rand.NewPCG(1, 2))
	letters := func(x, y int) color.Color { // lines of marks of the size of letters
		if y%24 < 14 && (x/7*2654435761+y/24*40503+y/4*97)%5 < 2 {
			return grey(20)
		}
		return grey(240)
	}
	return map[string]image.Image{
		"black":       pattern(640, 480, func(int, int) color.Color { return grey(0) }),
		"white":       pattern(640, 480, func(int, int) color.Color { return grey(255) }),
		"skin colour": pattern(640, 480, func(int, int) color.Color { return color.RGBA{R: 224, G: 172, B: 140, A: 255} }),
		"gradient":    pattern(640, 480, func(x, y int) color.Color { return grey(x*255/640 - y/8) }),
		"colours":     pattern(640, 480, func(x, y int) color.Color { return color.RGBA{R: uint8(x), G: uint8(y), B: uint8(x + y), A: 255} }),
		"noise": pattern(640, 480, func(int, int) color.Color {
			return color.RGBA{R: uint8(random.Uint32()), G: uint8(random.Uint32()), B: uint8(random.Uint32()), A: 255}
		}),
		"grey noise":   pattern(640, 480, func(int, int) color.Color { return grey(random.IntN(256)) }),
		"checks":       pattern(640, 480, func(x, y int) color.Color { return grey(255 * ((x/16 + y/16) % 2)) }),
		"stripes":      pattern(640, 480, func(x, _ int) color.Color { return grey(255 * (x / 9 % 2)) }),
		"text":         pattern(640, 480, letters),
		"large text":   pattern(1920, 1440, letters),
		"bricks":       pattern(800, 600, func(x, y int) color.Color { return bricks(x, y) }),
		"empty room":   visiontest.Photo(1280, 720),
		"blown-out":    pattern(640, 480, func(x, y int) color.Color { return grey(250 + random.IntN(6)) }),
		"almost black": pattern(640, 480, func(x, y int) color.Color { return grey(random.IntN(6)) }),
	}
}

func bricks(x, y int) color.Color {
	if y%30 < 3 || (x+y/30%2*40)%80 < 3 {
		return grey(190)
	}
	return color.RGBA{R: 150, G: 70, B: 50, A: 255}
}

func TestNoFacesWhereThereAreNone(t *testing.T) {
	t.Parallel()
	for _, cfg := range everyConfig() {
		d := newDetectorOf(t, cfg)
		for name, picture := range withoutFaces() {
			got, err := d.Detect(asPNG(t, picture))
			if err != nil {
				t.Fatal(err)
			}
			if len(got.Faces) != 0 {
				t.Errorf("%s: %s: found %+v", wordsFor(cfg), name, got.Faces)
			}
		}
	}
}

// lit changes the light of a photo: every value times gain, plus offset.
func lit(photo *image.RGBA, gain, offset float64) image.Image {
	for i, v := range photo.Pix {
		if i%4 != 3 {
			photo.Pix[i] = uint8(min(max(float64(v)*gain+offset, 0), 255))
		}
	}
	return photo
}

func TestDarkAndBlownOutPhotos(t *testing.T) {
	t.Parallel()
	d := newDetector(t)
	for name, c := range map[string]struct {
		gain, offset float64
		found        int // least
	}{
		"dusk":             {0.4, 0, 2},
		"night":            {0.1, 0, 0},
		"bright":           {1.2, 20, 2},
		"blown-out":        {1.5, 120, 0},
		"fog":              {0.4, 120, 1},
		"black":            {0, 0, 0},
		"harsh":            {1.8, -100, 1},
		"underexposed fog": {0.15, 30, 0},
	} {
		photo := visiontest.Photo(1280, 720,
			visiontest.Face{Centre: image.Pt(300, 300), Radius: 110, Masked: true},
			visiontest.Face{Centre: image.Pt(900, 300), Radius: 110},
		)
		got, err := d.Analyze(asPNG(t, lit(photo, c.gain, c.offset)))
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: %d faces", name, len(got.Faces))
		if len(got.Faces) < c.found || len(got.Faces) > 2 {
			t.Errorf("%s: found %+v, want %d to 2", name, got.Faces, c.found)
		}
	}
}

func TestFacesCutByThePhotosEdge(t *testing.T) {
	t.Parallel()
	for _, cfg := range everyConfig() {
		cfg.ModelFolder = firstModel
		d := newDetectorOf(t, cfg)
		for name, centre := range map[string]image.Point{"left": {X: 30, Y: 300}, "right": {X: 1250, Y: 300}, "bottom": {X: 640, Y: 640}} {
			got, err := d.Detect(visiontest.JPEG(1280, 720, visiontest.Face{Centre: centre, Radius: 120}))
			if err != nil {
				t.Fatal(err)
			}
			if len(got.Faces) != 1 {
				t.Errorf("%s: %s: found %+v, want one", wordsFor(cfg), name, got.Faces)
			}
			for _, f := range got.Faces {
				if f.Left < 0 || f.Top < 0 || f.Right > 1280 || f.Bottom > 720 {
					t.Errorf("%s: %s: %+v is not inside the photo", wordsFor(cfg), name, f)
				}
			}
		}
	}
}

func TestAnySizeAndShape(t *testing.T) {
	t.Parallel()
	var detectors []*Detector
	for _, cfg := range everyConfig() {
		detectors = append(detectors, newDetectorOf(t, cfg))
	}
	for _, size := range []image.Point{{32, 32}, {33, 47}, {8192, 32}, {32, 8192}, {8192, 4882}, {639, 641}} {
		for format, data := range map[string][]byte{"JPEG": visiontest.JPEG(size.X, size.Y), "BMP": greyBMP(t, size)} {
			for i, d := range detectors {
				got, err := d.Analyze(data)
				if err != nil || image.Pt(got.Width, got.Height) != size || len(got.Faces) != 0 {
					t.Errorf("%s: %s of %v: %d × %d, faces %+v, error %v",
						wordsFor(everyConfig()[i]), format, size, got.Width, got.Height, got.Faces, err)
				}
			}
		}
	}
	for size, code := range map[image.Point]job.Code{
		{X: 31, Y: 8192}: job.CodeImageTooSmall, {X: 8193, Y: 32}: job.CodeImageTooLarge, {X: 8192, Y: 4883}: job.CodeImageTooLarge,
	} {
		_, err := detectors[0].Analyze(greyBMP(t, size))
		var failure *job.Failure
		if !errors.As(err, &failure) || failure.Code != code {
			t.Errorf("%v: error is %v, want %s", size, err, code)
		}
	}
}

func greyBMP(t *testing.T, size image.Point) []byte {
	t.Helper()
	picture := image.NewGray(image.Rectangle{Max: size})
	return encodeWith(t, func(out *bytes.Buffer) error { return bmp.Encode(out, picture) })
}

// The same photo gives the same boxes to the last bit, whatever shapes came between:
// a network is laid out anew for each, and its memory is used again.
func TestTheSamePhotoGivesTheSameBoxes(t *testing.T) {
	t.Parallel()
	for _, cfg := range everyConfig() {
		cfg.LeastConfidence = 0.001 // more boxes to compare
		d, fresh := newDetectorOf(t, cfg), newDetectorOf(t, cfg)
		photo := visiontest.JPEG(1920, 1080, crowd()...)
		detect := func(d *Detector, data []byte) []Face {
			got, err := d.Detect(data)
			if err != nil {
				t.Fatal(err)
			}
			return got.Faces
		}
		first := detect(d, photo)
		for _, size := range []image.Point{{200, 900}, {900, 200}, {640, 640}, {8192, 32}, {1920, 1080}} {
			detect(d, visiontest.JPEG(size.X, size.Y, visiontest.Face{Centre: size.Div(2), Radius: 60}))
			if diff := cmp.Diff(first, detect(d, photo)); diff != "" {
				t.Errorf("%s: after a photo of %v (-first +again):\n%s", wordsFor(cfg), size, diff)
			}
		}
		if diff := cmp.Diff(first, detect(fresh, photo)); diff != "" || len(first) == 0 {
			t.Errorf("%s: another detector, %d faces (-first +other):\n%s", wordsFor(cfg), len(first), diff)
		}
	}
}

// Detect finds what Analyze records.
func TestDetectAgreesWithAnalyze(t *testing.T) {
	t.Parallel()
	for _, cfg := range everyConfig() {
		d := newDetectorOf(t, cfg)
		for _, size := range []image.Point{{300, 200}, {1280, 720}, {4032, 3024}} {
			photo := visiontest.JPEG(size.X, size.Y, visiontest.Face{Centre: size.Div(2), Radius: size.Y / 5, Masked: true})
			output, err := d.Analyze(photo)
			if err != nil {
				t.Fatal(err)
			}
			detection, err := d.Detect(photo)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(output.Faces, wholePixels(detection.Faces)); diff != "" || len(output.Faces) != 1 {
				t.Errorf("%s: %v: %d faces (-analyze +detect):\n%s", wordsFor(cfg), size, len(output.Faces), diff)
			}
			if s := output.Steps; min(s.Decode, s.Prepare, s.Network, s.Boxes, s.Draw, s.Encode) <= 0 {
				t.Errorf("steps are %+v", s)
			}
			if s := detection.Steps; s.Draw != 0 || s.Encode != 0 {
				t.Errorf("steps of Detect are %+v", s)
			}
		}
	}
}
