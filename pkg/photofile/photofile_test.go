package photofile

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/jpeg"
	"image/png"
	"strings"
	"testing"

	"golang.org/x/image/bmp"

	"maskfleet/pkg/job"
)

func limits() Limits {
	return Limits{MaxBytes: 10 << 20, MinSide: 32, MaxSide: 8192, MaxPixels: 40_000_000}
}

func picture(width, height int) image.Image { return image.NewGray(image.Rect(0, 0, width, height)) }

func asPNG(t testing.TB, width, height int) []byte {
	t.Helper()
	var buf bytes.Buffer
	if err := png.Encode(&buf, picture(width, height)); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func asJPEG(t testing.TB) []byte {
	t.Helper()
	var buf bytes.Buffer
	if err := jpeg.Encode(&buf, picture(64, 48), nil); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func asBMP(t testing.TB) []byte {
	t.Helper()
	var buf bytes.Buffer
	if err := bmp.Encode(&buf, picture(64, 48)); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// pngChunk frames a chunk with length and checksum.
func pngChunk(kind string, data []byte) []byte {
	body := append([]byte(kind), data...)
	out := binary.BigEndian.AppendUint32(nil, uint32(len(data)))
	out = append(out, body...)
	return binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(body))
}

// hugePNG is small and says that it is 50,000 × 50,000.
func hugePNG() []byte {
	header := binary.BigEndian.AppendUint32(nil, 50_000)
	header = binary.BigEndian.AppendUint32(header, 50_000)
	header = append(header, 8, 0, 0, 0, 0)
	out := append([]byte("\x89PNG\r\n\x1a\n"), pngChunk("IHDR", header)...)
	return append(out, pngChunk("IDAT", make([]byte, 900))...)
}

func animatePNG(still []byte) []byte {
	const afterHeader = 8 + 25
	out := append([]byte(nil), still[:afterHeader]...)
	out = append(out, pngChunk("acTL", make([]byte, 8))...)
	return append(out, still[afterHeader:]...)
}

// webPHeader is an extended WebP of the given flags without any frame.
func webPHeader(flags byte) []byte {
	body := []byte{flags, 0, 0, 0, 63, 0, 0, 47, 0, 0} // 64 × 48, each less one
	out := append([]byte("RIFF\x16\x00\x00\x00WEBPVP8X"), 10, 0, 0, 0)
	return append(out, body...)
}

func TestInspect(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name string
		data []byte
		want job.Code // empty: accepted
	}{
		{"JPEG", asJPEG(t), ""},
		{"JPEG cut in its pixels", asJPEG(t)[:len(asJPEG(t))-20], ""},
		{"JPEG cut in its headers", asJPEG(t)[:40], job.CodeDecodeFailed},
		{"PNG", asPNG(t, 64, 48), ""},
		{"BMP", asBMP(t), ""},
		{"WebP", webPHeader(0), ""},
		{"animated WebP", webPHeader(0x02), job.CodeUnsupportedFormat},
		{"animated PNG", animatePNG(asPNG(t, 64, 48)), job.CodeUnsupportedFormat},
		{"PNG of 1 kB that claims 50,000 × 50,000", hugePNG(), job.CodeImageTooLarge},
		{"narrow PNG", asPNG(t, 31, 400), job.CodeImageTooSmall},
		{"long PNG", asPNG(t, 8193, 40), job.CodeImageTooLarge},
		{"too many pixels", asPNG(t, 8000, 5001), job.CodeImageTooLarge},
		{"smallest", asPNG(t, 32, 32), ""},
		{"empty", nil, job.CodeUnsupportedFormat},
		{"text", []byte("hello, I am a photo"), job.CodeUnsupportedFormat},
		{"SVG", []byte(`<svg xmlns="http://www.w3.org/2000/svg"/>`), job.CodeUnsupportedFormat},
		{"GIF", []byte("GIF89a\x40\x00\x30\x00"), job.CodeUnsupportedFormat},
		{"HEIC", []byte("\x00\x00\x00\x18ftypheic\x00\x00\x00\x00"), job.CodeUnsupportedFormat},
		{"zip", []byte("PK\x03\x04"), job.CodeUnsupportedFormat},
		{"too many bytes", make([]byte, 10<<20+1), job.CodeImageTooLarge},
		{"signature alone", []byte("\x89PNG\r\n\x1a\n"), job.CodeDecodeFailed},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			info, failure := Inspect(c.data, limits())
			switch {
			case c.want == "" && failure != nil:
				t.Errorf("refused: %v", failure)
			case c.want == "" && (info.Width == 0 || info.Height == 0 || len(info.SHA256) != 64 || info.ContentType == ""):
				t.Errorf("incomplete: %+v", info)
			case c.want != "" && (failure == nil || failure.Code != c.want):
				t.Errorf("got %v, want %s", failure, c.want)
			}
		})
	}
}

func FuzzInspect(f *testing.F) {
	for _, seed := range [][]byte{asJPEG(f), asPNG(f, 64, 48), asBMP(f), webPHeader(0), webPHeader(2), hugePNG(), animatePNG(asPNG(f, 40, 40))} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		info, failure := Inspect(data, limits())
		if failure == nil && limits().checkSize(info.Width, info.Height) != nil {
			t.Errorf("accepted %d × %d", info.Width, info.Height)
		}
	})
}

func TestCleanName(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name, want string
		ok         bool
	}{
		{"gate 7.jpg", "gate 7.jpg", true},
		{"Grüße 😷.jpg", "Grüße 😷.jpg", true},
		{"  a.jpg ", "a.jpg", true},
		{"", "photo", true},
		{"..hidden", "..hidden", true},
		{"..", "", false},
		{"../../etc/passwd", "", false},
		{`C:\a.jpg`, "", false},
		{"a\x00.jpg", "", false},
		{"a\r\nSet-Cookie: x", "", false},
		{"gpj.\u202eexe", "", false},
		{"\xff\xfe", "", false},
		{strings.Repeat("ä", 255), strings.Repeat("ä", 255), true},
		{strings.Repeat("ä", 256), "", false},
	}
	for _, c := range cases {
		got, err := CleanName(c.name)
		if (err == nil) != c.ok || got != c.want {
			t.Errorf("%q: got %q, %v; want %q, accepted %t", c.name, got, err, c.want, c.ok)
		}
	}
}

func FuzzCleanName(f *testing.F) {
	f.Add("a.jpg")
	f.Add("../a")
	f.Fuzz(func(t *testing.T, name string) {
		got, err := CleanName(name)
		if err == nil && (got == "" || strings.ContainsAny(got, "/\\\r\n\x00")) {
			t.Errorf("%q became %q", name, got)
		}
	})
}
