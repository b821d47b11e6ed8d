package photofile

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"io"

	"golang.org/x/image/bmp"
	"golang.org/x/image/webp"

	"maskfleet/pkg/job"
)

// Info is what is known of a photo before it is decoded.
type Info struct {
	Format      string // jpeg, png, webp or bmp
	ContentType string
	Width       int // pixels as stored; EXIF may turn the photo later
	Height      int
	SHA256      string // lower-case hex of the whole file
}

// format is one that is accepted.
type format struct {
	name         string
	contentType  string
	matches      func([]byte) bool
	decodeConfig func([]byte) (image.Config, error)
	animated     func([]byte) bool
}

func formats() []format {
	still := func([]byte) bool { return false }
	return []format{
		{"jpeg", "image/jpeg", prefixed("\xff\xd8\xff"), jpegConfig, still},
		{"png", "image/png", prefixed("\x89PNG\r\n\x1a\n"), pngConfig, animatedPNG},
		{"webp", "image/webp", isWebP, webpConfig, animatedWebP},
		{"bmp", "image/bmp", isBMP, bmpConfig, still},
	}
}

func prefixed(prefix string) func([]byte) bool {
	return func(data []byte) bool { return bytes.HasPrefix(data, []byte(prefix)) }
}

// isBMP asks for the reserved zeros too: many a text begins with BM.
func isBMP(data []byte) bool {
	return len(data) >= 10 && string(data[:2]) == "BM" && string(data[6:10]) == "\x00\x00\x00\x00"
}

// Inspect reads the header of a photo. It fails with unsupported_format,
// decode_failed (a header that is cut or damaged), image_too_large or
// image_too_small. Pixels that are damaged further on pass: only a slot sees them.
func Inspect(data []byte, limits Limits) (Info, *job.Failure) {
	if int64(len(data)) > limits.MaxBytes {
		return Info{}, job.Fail(job.CodeImageTooLarge, fmt.Errorf("%d bytes", len(data)))
	}
	for _, f := range formats() {
		if f.matches(data) {
			return f.inspect(data, limits)
		}
	}
	return Info{}, job.Fail(job.CodeUnsupportedFormat, errors.New("no known signature"))
}

func (f format) inspect(data []byte, limits Limits) (Info, *job.Failure) {
	if f.animated(data) {
		return Info{}, job.Fail(job.CodeUnsupportedFormat, fmt.Errorf("animated %s", f.name))
	}
	config, err := f.decodeConfig(data)
	if rareKind(err) {
		return Info{}, job.Fail(job.CodeUnsupportedFormat, fmt.Errorf("reading the %s header: %w", f.name, err))
	}
	if err != nil {
		return Info{}, job.Fail(job.CodeDecodeFailed, fmt.Errorf("reading the %s header: %w", f.name, err))
	}
	switch err := limits.checkSize(config.Width, config.Height); {
	case errors.Is(err, errTooLarge):
		return Info{}, job.Fail(job.CodeImageTooLarge, fmt.Errorf("%d × %d: %w", config.Width, config.Height, err))
	case err != nil:
		return Info{}, job.Fail(job.CodeImageTooSmall, fmt.Errorf("%d × %d: %w", config.Width, config.Height, err))
	}
	digest := sha256.Sum256(data)
	return Info{
		Format:      f.name,
		ContentType: f.contentType,
		Width:       config.Width,
		Height:      config.Height,
		SHA256:      hex.EncodeToString(digest[:]),
	}, nil
}

// rareKind tells a sound photo of a kind that few programs read, such as a lossless
// JPEG, from a damaged one. Of PNG every kind is read.
func rareKind(err error) bool {
	var ofJPEG jpeg.UnsupportedError
	return errors.As(err, &ofJPEG) || errors.Is(err, bmp.ErrUnsupported)
}

// jpegConfig reads every header: the library looks on to where the pixels begin.
func jpegConfig(data []byte) (image.Config, error) { return jpeg.DecodeConfig(bytes.NewReader(data)) }

func pngConfig(data []byte) (image.Config, error) {
	config, err := png.DecodeConfig(bytes.NewReader(data))
	if err == nil && !reachesPixels(data) {
		err = io.ErrUnexpectedEOF
	}
	return config, err
}

func webpConfig(data []byte) (image.Config, error) { return webp.DecodeConfig(bytes.NewReader(data)) }

func bmpConfig(data []byte) (image.Config, error) { return bmp.DecodeConfig(bytes.NewReader(data)) }
