package photofile

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"image"
	"image/jpeg"
	"image/png"
	"strings"
	"testing"
	"unicode/utf8"

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

// claimPNG is small and says that it has this size.
func claimPNG(width, height uint32) []byte {
	header := binary.BigEndian.AppendUint32(nil, width)
	header = binary.BigEndian.AppendUint32(header, height)
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

// riff is a WebP of one chunk.
func riff(kind, body string) []byte {
	chunk := append([]byte("WEBP"+kind), binary.LittleEndian.AppendUint32(nil, uint32(len(body)))...)
	chunk = append(append(chunk, body...), make([]byte, len(body)%2)...)
	return append(append([]byte("RIFF"), binary.LittleEndian.AppendUint32(nil, uint32(len(chunk)))...), chunk...)
}

// until is the part of data before the mark.
func until(t *testing.T, data []byte, mark string) []byte {
	t.Helper()
	at := bytes.Index(data, []byte(mark))
	if at < 0 {
		t.Fatalf("no %q in it", mark)
	}
	return data[:at]
}

func withByte(data []byte, at int, value byte) []byte {
	data[at] = value
	return data
}

func TestInspectSays(t *testing.T) {
	t.Parallel()
	for want, data := range map[Info][]byte{
		{Format: "jpeg", ContentType: "image/jpeg", Width: 64, Height: 48}: asJPEG(t),
		{Format: "png", ContentType: "image/png", Width: 64, Height: 48}:   asPNG(t, 64, 48),
		{Format: "bmp", ContentType: "image/bmp", Width: 64, Height: 48}:   asBMP(t),
		{Format: "webp", ContentType: "image/webp", Width: 64, Height: 48}: riff("VP8L", "\x2f\x3f\xc0\x0b\x00"),
	} {
		want.SHA256 = fmt.Sprintf("%x", sha256.Sum256(data))
		if got, failure := Inspect(data, limits()); failure != nil || got != want {
			t.Errorf("got %+v, %v, want %+v", got, failure, want)
		}
	}
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
		{"JPEG cut between its size and its pixels", until(t, asJPEG(t), "\xff\xda"), job.CodeDecodeFailed},
		{"PNG cut between its size and its pixels", until(t, asPNG(t, 64, 48), "IDAT"), job.CodeDecodeFailed},
		{"PNG cut in its pixels", asPNG(t, 64, 48)[:len(asPNG(t, 64, 48))-20], ""},
		{"BMP cut in its header", asBMP(t)[:40], job.CodeDecodeFailed},
		{"BMP compressed in a way of its own", withByte(asBMP(t), 30, 4), job.CodeUnsupportedFormat},
		{"JPEG without loss", withByte(asJPEG(t), 1+bytes.Index(asJPEG(t), []byte("\xff\xc0")), 0xc3), job.CodeUnsupportedFormat},
		{"lossy WebP", riff("VP8 ", "\x10\x02\x00\x9d\x01\x2a\x40\x00\x30\x00"+strings.Repeat("\x00", 40)), ""},
		{"lossless WebP", riff("VP8L", "\x2f\x3f\xc0\x0b\x00"), ""},
		{"lossless WebP of 16,384 a side", riff("VP8L", "\x2f\xff\xff\xff\x0f"), job.CodeImageTooLarge},
		{"WebP of no known chunk", riff("JUNK", "1234"), job.CodeDecodeFailed},
		{"PNG", asPNG(t, 64, 48), ""},
		{"BMP", asBMP(t), ""},
		{"WebP", webPHeader(0), ""},
		{"animated WebP", webPHeader(0x02), job.CodeUnsupportedFormat},
		{"animated PNG", animatePNG(asPNG(t, 64, 48)), job.CodeUnsupportedFormat},
		{"PNG of 1 kB that claims 50,000 × 50,000", claimPNG(50_000, 50_000), job.CodeImageTooLarge},
		{"narrow PNG", asPNG(t, 31, 400), job.CodeImageTooSmall},
		{"long PNG", claimPNG(8193, 40), job.CodeImageTooLarge},
		{"as many pixels as may be", claimPNG(8000, 5000), ""},
		{"largest side", claimPNG(8192, 32), ""},
		{"too many pixels", claimPNG(8000, 5001), job.CodeImageTooLarge},
		{"smallest", asPNG(t, 32, 32), ""},
		{"empty", nil, job.CodeUnsupportedFormat},
		{"text that begins like a BMP", []byte("BMW, a text about cars, named .jpg; long enough for a header."), job.CodeUnsupportedFormat},
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
	for _, seed := range [][]byte{asJPEG(f), asPNG(f, 64, 48), asBMP(f), webPHeader(0), webPHeader(2), claimPNG(50_000, 50_000), animatePNG(asPNG(f, 40, 40))} {
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
		{"a.jpg\r\n", "", false},
		{"a\u2028b.jpg", "", false},
		{"a/", "", false},
		{" ", "photo", true},
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
	f.Add("a\u2028\u202eb.jpg\n")
	f.Add("\xff")
	f.Add(strings.Repeat("ä", 256))
	f.Fuzz(func(t *testing.T, name string) {
		got, err := CleanName(name)
		if err != nil {
			return
		}
		if got == "" || !utf8.ValidString(got) || utf8.RuneCountInString(got) > 255 || strings.ContainsAny(got, "/\\\r\n\x00") {
			t.Errorf("%q became %q", name, got)
		}
		if again, err := CleanName(got); err != nil || again != got {
			t.Errorf("%q, cleaned to %q, then becomes %q, %v", name, got, again, err)
		}
	})
}
