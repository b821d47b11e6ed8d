package e2e

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"testing"

	"maskfleet/inference-worker/slot/slottest"
)

// drawnPhoto is a valid photo without faces, so that no picture of a person needs
// to be in the repository.
func drawnPhoto(t *testing.T) []byte {
	t.Helper()
	picture := image.NewRGBA(image.Rect(0, 0, 320, 240))
	for y := range 240 {
		for x := range 320 {
			picture.Set(x, y, color.RGBA{R: uint8(x), G: uint8(y), B: 90, A: 255})
		}
	}
	var buf bytes.Buffer
	if err := jpeg.Encode(&buf, picture, nil); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// faultyPhoto is a valid photo that asks its slot to misbehave.
func faultyPhoto(t *testing.T, fault string) []byte {
	t.Helper()
	return slottest.WithFault(drawnPhoto(t), fault)
}
