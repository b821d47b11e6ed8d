package eval

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io"
	"os"
	"path"

	"golang.org/x/image/bmp"
	"golang.org/x/image/draw"
	"golang.org/x/image/font"
	"golang.org/x/image/font/basicfont"
	"golang.org/x/image/math/fixed"
	"golang.org/x/image/webp"
)

// The sheet's measures in pixels.
const (
	tileSide    = 220
	captionSide = 34 // two lines
	titleSide   = 30
	tilesAcross = 8
	rowsAtMost  = 3 // of each kind of mistake
	sheetGap    = 4
)

// WriteSheet draws the worst mistakes of a run side by side, each with what is around
// it: boxed faces green, regions to be ignored grey, the mistake orange. It holds parts
// of photos and may go only where the photos themselves may.
func WriteSheet(out io.Writer, set DataSet, run Run) error {
	found := findMistakes(set, run)
	kinds := []struct {
		title string
		list  []mistake
	}{
		{"Surest detections that are no boxed face", found.spurious},
		{"Surest faces with a wrong class", found.wrongClass},
		{"Largest faces that are missed", found.missed},
	}
	height := 0
	for _, kind := range kinds {
		height += titleSide + rowsOf(kind.list)*(tileSide+captionSide)
	}
	sheet := image.NewRGBA(image.Rect(0, 0, tilesAcross*tileSide, height))
	draw.Draw(sheet, sheet.Bounds(), image.NewUniform(color.Gray{Y: 24}), image.Point{}, draw.Src)
	top := 0
	for _, kind := range kinds {
		write(sheet, image.Pt(2*sheetGap, top+titleSide-10), fmt.Sprintf("%s (%d)", kind.title, len(kind.list)))
		top += titleSide
		for i, m := range kind.list[:min(len(kind.list), rowsAtMost*tilesAcross)] {
			corner := image.Pt(i%tilesAcross*tileSide, top+i/tilesAcross*(tileSide+captionSide))
			drawTile(sheet, corner, set, m)
		}
		top += rowsOf(kind.list) * (tileSide + captionSide)
	}
	if err := jpeg.Encode(out, sheet, &jpeg.Options{Quality: 88}); err != nil {
		return fmt.Errorf("writing the sheet: %w", err)
	}
	return nil
}

func rowsOf(list []mistake) int {
	return min((len(list)+tilesAcross-1)/tilesAcross, rowsAtMost)
}

// drawTile shows a mistake in the middle of three times its size, of the whole photo at most.
// A photo that only the detector's decoders read is said to be one.
func drawTile(sheet *image.RGBA, corner image.Point, set DataSet, m mistake) {
	const inner = tileSide - sheetGap
	shown := min(3*max(m.at.Width, m.at.Height, 8), float64(max(m.photo.Width, m.photo.Height)))
	left, top := m.at.X+m.at.Width/2-shown/2, m.at.Y+m.at.Height/2-shown/2
	tile := image.NewRGBA(image.Rect(0, 0, inner, inner))
	scale := inner / shown
	place := func(b Box) image.Rectangle {
		return image.Rect(int((b.X-left)*scale), int((b.Y-top)*scale), int((b.X+b.Width-left)*scale), int((b.Y+b.Height-top)*scale))
	}
	switch photo, err := readPhoto(set.Path(m.photo)); {
	case err != nil:
		write(tile, image.Pt(sheetGap, inner/2), "cannot be shown")
	case photo.Bounds().Dx() != m.photo.Width || photo.Bounds().Dy() != m.photo.Height:
		write(tile, image.Pt(sheetGap, inner/2), "stored turned: not shown")
	default:
		whole := place(Box{0, 0, float64(m.photo.Width), float64(m.photo.Height)})
		draw.BiLinear.Scale(tile, whole, photo, photo.Bounds(), draw.Src, nil)
	}
	for _, region := range m.photo.Ignored {
		outline(tile, place(region), color.Gray{Y: 150}, 1)
	}
	for _, face := range m.photo.Faces {
		outline(tile, place(face.Box), color.RGBA{R: 60, G: 200, B: 80, A: 255}, 1)
	}
	outline(tile, place(m.at), color.RGBA{R: 255, G: 140, A: 255}, 2)
	draw.Draw(sheet, tile.Bounds().Add(corner), tile, image.Point{}, draw.Src)
	write(sheet, corner.Add(image.Pt(sheetGap, tileSide+9)), m.what)
	write(sheet, corner.Add(image.Pt(sheetGap, tileSide+23)), path.Base(m.photo.FileName))
}

func readPhoto(name string) (image.Image, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	decode := jpeg.Decode
	switch {
	case bytes.HasPrefix(data, []byte("\x89PNG")):
		decode = png.Decode
	case bytes.HasPrefix(data, []byte("BM")):
		decode = bmp.Decode
	case bytes.HasPrefix(data, []byte("RIFF")):
		decode = webp.Decode
	}
	return decode(bytes.NewReader(data))
}

func outline(on *image.RGBA, r image.Rectangle, c color.Color, thick int) {
	ink := image.NewUniform(c)
	for _, side := range []image.Rectangle{
		image.Rect(r.Min.X, r.Min.Y, r.Max.X, r.Min.Y+thick),
		image.Rect(r.Min.X, r.Max.Y-thick, r.Max.X, r.Max.Y),
		image.Rect(r.Min.X, r.Min.Y, r.Min.X+thick, r.Max.Y),
		image.Rect(r.Max.X-thick, r.Min.Y, r.Max.X, r.Max.Y),
	} {
		draw.Draw(on, side, ink, image.Point{}, draw.Src)
	}
}

func write(on *image.RGBA, at image.Point, text string) {
	pen := font.Drawer{Dst: on, Src: image.White, Face: basicfont.Face7x13, Dot: fixed.P(at.X, at.Y)}
	pen.DrawString(text)
}
