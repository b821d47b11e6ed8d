package vision

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"testing"

	"gocv.io/x/gocv"
	"golang.org/x/image/bmp"

	"maskfleet/pkg/job"
)

// corners is a picture that looks different however it is turned: red, green, blue
// and yellow from the upper left onwards, row by row.
func corners(width, height int) *image.NRGBA {
	picture := image.NewNRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			picture.SetNRGBA(x, y, cornerColours()[2*(2*y/height)+2*x/width])
		}
	}
	return picture
}

func cornerColours() [4]color.NRGBA {
	return [4]color.NRGBA{{R: 255, A: 255}, {G: 255, A: 255}, {B: 255, A: 255}, {R: 255, G: 255, A: 255}}
}

// storedAs turns an upright picture into what a camera stores with an EXIF
// orientation, after the standard's words on where row 0 and column 0 are shown.
func storedAs(upright image.Image, orientation int) image.Image {
	w, h := upright.Bounds().Dx(), upright.Bounds().Dy()
	size := image.Pt(w, h)
	if orientation >= 5 {
		size = image.Pt(h, w)
	}
	stored := image.NewNRGBA(image.Rectangle{Max: size})
	for y := range h {
		for x := range w {
			at := map[int]image.Point{
				1: {X: x, Y: y}, 2: {X: w - 1 - x, Y: y}, 3: {X: w - 1 - x, Y: h - 1 - y}, 4: {X: x, Y: h - 1 - y},
				5: {X: y, Y: x}, 6: {X: y, Y: w - 1 - x}, 7: {X: h - 1 - y, Y: w - 1 - x}, 8: {X: h - 1 - y, Y: x},
			}[orientation]
			stored.Set(at.X, at.Y, upright.At(x, y))
		}
	}
	return stored
}

// exifOf is EXIF data that holds nothing but the orientation.
func exifOf(orientation int) []byte {
	exif := []byte("MM\x00*\x00\x00\x00\x08")                   // big endian, first directory at 8
	exif = append(exif, 0, 1, 0x01, 0x12, 0, 3, 0, 0, 0, 1)     // one entry: orientation, short, one value
	return append(exif, 0, byte(orientation), 0, 0, 0, 0, 0, 0) // the value; no further directory
}

// withOrientation puts an EXIF segment behind the start of a JPEG.
func withOrientation(data []byte, orientation int) []byte {
	exif := append([]byte("Exif\x00\x00"), exifOf(orientation)...)
	segment := binary.BigEndian.AppendUint16([]byte{0xff, 0xe1}, uint16(2+len(exif)))
	return bytes.Join([][]byte{data[:2], segment, exif, data[2:]}, nil)
}

// pngWithOrientation puts an EXIF chunk behind the header of a PNG.
func pngWithOrientation(data []byte, orientation int) []byte {
	const header = 8 + 12 + 13
	chunk := append([]byte("eXIf"), exifOf(orientation)...)
	length := binary.BigEndian.AppendUint32(nil, uint32(len(chunk)-4))
	sum := binary.BigEndian.AppendUint32(nil, crc32.ChecksumIEEE(chunk))
	return bytes.Join([][]byte{data[:header], length, chunk, sum, data[header:]}, nil)
}

// webpWithOrientation makes a simple WebP an extended one with EXIF data at its end.
func webpWithOrientation(data []byte, size image.Point, orientation int) []byte {
	const hasEXIF = 8
	extended := []byte{'V', 'P', '8', 'X', 10, 0, 0, 0, hasEXIF, 0, 0, 0}
	for _, side := range []int{size.X - 1, size.Y - 1} {
		extended = append(extended, byte(side), byte(side>>8), byte(side>>16))
	}
	exif := exifOf(orientation)
	chunk := binary.LittleEndian.AppendUint32([]byte("EXIF"), uint32(len(exif)))
	body := bytes.Join([][]byte{[]byte("WEBP"), extended, data[12:], chunk, exif}, nil)
	return append(binary.LittleEndian.AppendUint32([]byte("RIFF"), uint32(len(body))), body...)
}

func asWebP(t *testing.T, picture image.Image) []byte {
	t.Helper()
	pixels, err := gocv.ImageToMatRGB(picture)
	if err != nil {
		t.Fatal(err)
	}
	defer pixels.Close()
	encoded, err := gocv.IMEncodeWithParams(".webp", pixels, []int{gocv.IMWriteWebpQuality, 100})
	if err != nil {
		t.Fatal(err)
	}
	defer encoded.Close()
	return bytes.Clone(encoded.GetBytes())
}

func encodeWith(t *testing.T, encode func(*bytes.Buffer) error) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := encode(&out); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func asJPEG(t *testing.T, picture image.Image) []byte {
	t.Helper()
	return encodeWith(t, func(out *bytes.Buffer) error { return jpeg.Encode(out, picture, &jpeg.Options{Quality: 95}) })
}

func asPNG(t *testing.T, picture image.Image) []byte {
	t.Helper()
	return encodeWith(t, func(out *bytes.Buffer) error { return png.Encode(out, picture) })
}

// decodeWhole does the first steps of Detector.Analyze.
func decodeWhole(data []byte) (photo, error) {
	h, err := checkWhole(data)
	if err != nil {
		return photo{}, err
	}
	return decode(data, h)
}

// checkCorners looks at the middle of each quarter of a decoded picture.
func checkCorners(t *testing.T, p photo) {
	t.Helper()
	for i, want := range cornerColours() {
		x := p.pixels.Cols() * (1 + 2*(i%2)) / 4
		y := p.pixels.Rows() * (1 + 2*(i/2)) / 4
		bgr := p.pixels.GetVecbAt(y, x)
		if got := (color.NRGBA{R: bgr[2], G: bgr[1], B: bgr[0], A: 255}); !isNear(got, want) {
			t.Errorf("quarter %d is %v, want %v", i, got, want)
		}
	}
}

func TestDecodeTurnsUpright(t *testing.T) {
	t.Parallel()
	for orientation := 1; orientation <= 8; orientation++ {
		for what, size := range map[string]image.Point{"whole": {X: 96, Y: 64}, "reduced": {X: 3842, Y: 101}} {
			t.Run(fmt.Sprintf("%d %s", orientation, what), func(t *testing.T) {
				t.Parallel()
				data := withOrientation(asJPEG(t, storedAs(corners(size.X, size.Y), orientation)), orientation)
				p, err := decodeWhole(data)
				if err != nil {
					t.Fatal(err)
				}
				defer p.pixels.Close()
				if p.size != size {
					t.Errorf("size is %v, want %v", p.size, size)
				}
				if reduced := p.pixels.Cols() < size.X; reduced != (what == "reduced") {
					t.Errorf("%d columns were decoded", p.pixels.Cols())
				}
				checkCorners(t, p)
			})
		}
	}
}

func TestDecodeTurnsOtherFormatsUpright(t *testing.T) {
	t.Parallel()
	size := image.Pt(96, 64)
	for orientation := 1; orientation <= 8; orientation++ {
		stored := storedAs(corners(size.X, size.Y), orientation)
		for format, data := range map[string][]byte{
			"PNG":  pngWithOrientation(asPNG(t, stored), orientation),
			"WebP": webpWithOrientation(asWebP(t, stored), stored.Bounds().Size(), orientation),
		} {
			t.Run(fmt.Sprintf("%s %d", format, orientation), func(t *testing.T) {
				t.Parallel()
				p, err := decodeWhole(data)
				if err != nil {
					t.Fatal(err)
				}
				defer p.pixels.Close()
				if p.size != size || sizeOf(p.pixels) != size {
					t.Errorf("size is %v, of pixels %v, want %v", p.size, sizeOf(p.pixels), size)
				}
				checkCorners(t, p)
			})
		}
	}
}

func TestExifOrientationOfOddData(t *testing.T) {
	t.Parallel()
	whole := exifOf(6)
	for cut := range whole {
		want := orientation(1)
		if cut >= 8+2+12 { // the entry is there
			want = 6
		}
		if got := exifOrientation(whole[:cut]); got != want {
			t.Errorf("first %d bytes: %d, want %d", cut, got, want)
		}
	}
	little := []byte("II*\x00\x08\x00\x00\x00\x01\x00\x12\x01\x03\x00\x01\x00\x00\x00\x08\x00\x00\x00")
	for name, c := range map[string]struct {
		data []byte
		want orientation
	}{
		"little endian":          {little, 8},
		"with JPEG's prefix":     {append([]byte("Exif\x00\x00"), little...), 8},
		"no such orientation":    {exifOf(9), 1},
		"nothing":                {nil, 1},
		"a directory far behind": {[]byte("II*\x00\xff\xff\xff\xff\x01\x00"), 1},
	} {
		if got := exifOrientation(c.data); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
}

func TestDecodeFormats(t *testing.T) {
	t.Parallel()
	upright := corners(96, 64)
	palette := image.NewPaletted(upright.Bounds(), nil)
	deep := image.NewNRGBA64(upright.Bounds())
	for _, c := range cornerColours() {
		palette.Palette = append(palette.Palette, c)
	}
	for y := range 64 {
		for x := range 96 {
			palette.Set(x, y, upright.At(x, y))
			deep.Set(x, y, upright.At(x, y))
		}
	}
	pixels, err := gocv.ImageToMatRGB(upright)
	if err != nil {
		t.Fatal(err)
	}
	defer pixels.Close()
	byOpenCV := func(ext gocv.FileExt, params ...int) []byte {
		encoded, err := gocv.IMEncodeWithParams(ext, pixels, params)
		if err != nil {
			t.Fatal(err)
		}
		defer encoded.Close()
		return bytes.Clone(encoded.GetBytes())
	}
	for name, data := range map[string][]byte{
		"JPEG":              asJPEG(t, upright),
		"progressive JPEG":  byOpenCV(".jpg", gocv.IMWriteJpegQuality, 95, gocv.IMWriteJpegProgressive, 1),
		"PNG":               asPNG(t, upright),
		"PNG of 16 bits":    asPNG(t, deep),
		"PNG of a palette":  asPNG(t, palette),
		"WebP":              byOpenCV(".webp", gocv.IMWriteWebpQuality, 100),
		"WebP, lossless":    byOpenCV(".webp", gocv.IMWriteWebpQuality, 101),
		"BMP":               encodeWith(t, func(out *bytes.Buffer) error { return bmp.Encode(out, upright) }),
		"BMP of OpenCV":     byOpenCV(".bmp", gocv.IMWritePngCompression, 1),
		"JPEG and a video":  append(asJPEG(t, upright), bytes.Repeat([]byte("\x00\xffmp4"), 1000)...),
		"JPEG with filling": bytes.Replace(asJPEG(t, upright), []byte("\xff\xda"), []byte("\xff\xff\xff\xda"), 1),
	} {
		p, err := decodeWhole(data)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if p.size != image.Pt(96, 64) {
			t.Errorf("%s: size is %v", name, p.size)
		}
		t.Log(name)
		checkCorners(t, p)
		p.pixels.Close()
	}
}

func TestDecodeOtherColours(t *testing.T) {
	t.Parallel()
	grey := image.NewGray(image.Rect(0, 0, 64, 64))
	grey16 := image.NewGray16(image.Rect(0, 0, 64, 64))
	for i := range grey.Pix {
		grey.Pix[i] = 120
		grey16.SetGray16(i%64, i/64, color.Gray16{Y: 120 << 8})
	}
	for name, c := range map[string]struct {
		data []byte
		want color.NRGBA
	}{
		"grey JPEG":               {asJPEG(t, grey), color.NRGBA{R: 120, G: 120, B: 120, A: 255}},
		"grey PNG":                {asPNG(t, grey), color.NRGBA{R: 120, G: 120, B: 120, A: 255}},
		"grey PNG of 16 bits":     {asPNG(t, grey16), color.NRGBA{R: 120, G: 120, B: 120, A: 255}},
		"PNG seen through half":   {asPNG(t, flat(64, 64, color.NRGBA{R: 200, G: 40, B: 40, A: 128})), color.NRGBA{R: 200, G: 40, B: 40, A: 255}},
		"CMYK JPEG, as by Adobe":  {cmykJPEG(color.CMYK{M: 255, Y: 255}), color.NRGBA{R: 255, A: 255}},
		"CMYK JPEG, cyan by half": {cmykJPEG(color.CMYK{C: 128}), color.NRGBA{R: 127, G: 255, B: 255, A: 255}},
	} {
		p, err := decodeWhole(c.data)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		bgr := p.pixels.GetVecbAt(20, 20)
		if got := (color.NRGBA{R: bgr[2], G: bgr[1], B: bgr[0], A: 255}); !isNear(got, c.want) {
			t.Errorf("%s: the colour is %v, want %v", name, got, c.want)
		}
		p.pixels.Close()
	}
}

// cmykJPEG writes a picture of 64 × 64 pixels of one colour, as Adobe's programs do:
// four components, inverted. No encoder at hand can.
func cmykJPEG(c color.CMYK) []byte {
	out := []byte{0xff, 0xd8}
	segment := func(marker byte, body ...byte) {
		out = append(out, 0xff, marker)
		out = binary.BigEndian.AppendUint16(out, uint16(2+len(body)))
		out = append(out, body...)
	}
	segment(0xee, append([]byte("Adobe"), 0, 100, 0, 0, 0, 0, 0)...)
	segment(0xdb, append([]byte{0}, bytes.Repeat([]byte{8}, 64)...)...) // all coefficients in steps of 8
	segment(0xc0, 8, 0, 64, 0, 64, 4, 1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0, 4, 0x11, 0)
	segment(0xc4, 0x00, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8) // lengths in four bits
	segment(0xc4, 0x10, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)                         // one bit: end of block
	segment(0xda, 4, 1, 0, 2, 0, 3, 0, 4, 0, 0, 63, 0)

	var bits []byte // one each
	put := func(value, count int) {
		for i := count - 1; i >= 0; i-- {
			bits = append(bits, byte(value>>i&1))
		}
	}
	for block := range 8 * 8 {
		for _, ink := range []uint8{c.C, c.M, c.Y, c.K} {
			difference, length := 0, 0
			if block == 0 {
				difference = int(255-ink) - 128
			}
			for magnitude := max(difference, -difference); magnitude > 0; magnitude >>= 1 {
				length++
			}
			if difference < 0 {
				difference += 1<<length - 1
			}
			put(length, 4)
			put(difference, length)
			put(0, 1)
		}
	}
	for len(bits)%8 != 0 {
		bits = append(bits, 1)
	}
	for i := 0; i < len(bits); i += 8 {
		var b byte
		for _, bit := range bits[i : i+8] {
			b = b<<1 | bit
		}
		out = append(out, b)
		if b == 0xff {
			out = append(out, 0)
		}
	}
	return append(out, 0xff, 0xd9)
}

func TestDecodeRefusesCutFiles(t *testing.T) {
	t.Parallel()
	upright := corners(96, 64)
	pixels, err := gocv.ImageToMatRGB(upright)
	if err != nil {
		t.Fatal(err)
	}
	defer pixels.Close()
	webp, err := gocv.IMEncode(".webp", pixels)
	if err != nil {
		t.Fatal(err)
	}
	defer webp.Close()
	thumbnail := asJPEG(t, corners(16, 16)) // as cameras put it into the EXIF data
	jpegWithThumbnail := asJPEG(t, upright)
	segment := binary.BigEndian.AppendUint16([]byte{0xff, 0xe1}, uint16(2+len(thumbnail)))
	jpegWithThumbnail = bytes.Join([][]byte{jpegWithThumbnail[:2], segment, thumbnail, jpegWithThumbnail[2:]}, nil)
	for name, data := range map[string][]byte{
		"JPEG":                  asJPEG(t, upright),
		"JPEG with a thumbnail": jpegWithThumbnail,
		"PNG":                   asPNG(t, upright),
		"WebP":                  bytes.Clone(webp.GetBytes()),
		"BMP":                   encodeWith(t, func(out *bytes.Buffer) error { return bmp.Encode(out, upright) }),
	} {
		whole, err := decodeWhole(data)
		if err != nil {
			t.Errorf("%s, whole: %v", name, err)
			continue
		}
		whole.pixels.Close()
		for cut := range len(data) - 1 {
			p, err := decodeWhole(data[:cut])
			var failure *job.Failure
			if err == nil || !errors.As(err, &failure) {
				t.Errorf("%s, first %d of %d bytes: error is %v", name, cut, len(data), err)
			}
			if err == nil {
				p.pixels.Close()
			}
		}
	}
}

// A file that is whole outside and damaged inside is refused by the decoder itself.
func TestDecodeRefusesDamagedPixels(t *testing.T) {
	t.Parallel()
	data := asPNG(t, corners(96, 64))
	at := bytes.Index(data, []byte("IDAT"))
	clear(data[at+8 : at+24])
	_, err := decodeWhole(data)
	var failure *job.Failure
	if !errors.As(err, &failure) || failure.Code != job.CodeDecodeFailed {
		t.Errorf("error is %v, want %s", err, job.CodeDecodeFailed)
	}
}

// FuzzCheckWhole looks for bytes that the walk through a file cannot bear; nothing
// is decoded.
func FuzzCheckWhole(f *testing.F) {
	f.Add(cmykJPEG(color.CMYK{C: 10}))
	f.Add([]byte(pngSignature))
	f.Add([]byte("BM"))
	f.Add([]byte("RIFF\x00\x00\x00\x00WEBP"))
	f.Fuzz(func(t *testing.T, data []byte) {
		h, err := checkWhole(data)
		if err == nil && (h.size.X < 0 || h.size.Y < 0) {
			t.Errorf("size is %v", h.size)
		}
	})
}

func FuzzExifOrientation(f *testing.F) {
	f.Add(exifOf(6))
	f.Add([]byte("II*\x00\x08\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if got := exifOrientation(data); got < 1 || got > 8 {
			t.Errorf("orientation is %d", got)
		}
	})
}
