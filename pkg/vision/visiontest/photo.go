package visiontest

import (
	"bytes"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
)

// Face is a face to draw, with hair, neck and shoulders.
type Face struct {
	Centre image.Point
	Radius int // from the centre to the chin, pixels; found where it is a 60th of the photo's longer side or more
	Masked bool
}

// Photo draws the faces before a light wall.
func Photo(width, height int, faces ...Face) *image.RGBA {
	photo := image.NewRGBA(image.Rect(0, 0, width, height))
	draw.Draw(photo, photo.Bounds(), image.NewUniform(color.RGBA{R: 205, G: 200, B: 190, A: 255}), image.Point{}, draw.Src)
	for _, f := range faces {
		f.draw(photo)
	}
	return photo
}

// JPEG draws the faces and encodes the photo.
func JPEG(width, height int, faces ...Face) []byte {
	var out bytes.Buffer
	if err := jpeg.Encode(&out, Photo(width, height, faces...), &jpeg.Options{Quality: 90}); err != nil {
		panic(err) // a buffer takes everything
	}
	return out.Bytes()
}

func (f Face) draw(photo *image.RGBA) {
	var (
		skin   = color.RGBA{R: 224, G: 172, B: 140, A: 255}
		shade  = color.RGBA{R: 203, G: 150, B: 120, A: 255}
		hair   = color.RGBA{R: 60, G: 40, B: 30, A: 255}
		shirt  = color.RGBA{R: 50, G: 60, B: 110, A: 255}
		white  = color.RGBA{R: 245, G: 245, B: 245, A: 255}
		pupil  = color.RGBA{R: 30, G: 20, B: 20, A: 255}
		lips   = color.RGBA{R: 170, G: 60, B: 60, A: 255}
		fabric = color.RGBA{R: 150, G: 200, B: 220, A: 255}
	)
	f.ellipse(photo, 0, 2.2, 1.7, 1.1, shirt)
	f.ellipse(photo, 0, 1.1, 0.4, 0.5, shade)
	f.ellipse(photo, 0, -0.25, 0.95, 1.1, hair)
	f.ellipse(photo, 0, 0, 0.78, 1, skin)
	f.ellipse(photo, 0, -0.75, 0.7, 0.35, hair)
	for _, side := range []float64{-0.32, 0.32} {
		f.ellipse(photo, side, -0.15, 0.16, 0.08, white)
		f.ellipse(photo, side, -0.15, 0.07, 0.08, pupil)
		f.ellipse(photo, side, -0.33, 0.2, 0.05, hair)
	}
	if f.Masked {
		f.ellipse(photo, 0, 0.45, 0.7, 0.5, fabric)
		return
	}
	f.ellipse(photo, 0, 0.2, 0.12, 0.2, shade)
	f.ellipse(photo, 0, 0.55, 0.28, 0.08, lips)
}

// ellipse fills an ellipse, with its edge smoothed; all lengths in radii of the face.
func (f Face) ellipse(photo *image.RGBA, x, y, width, height float64, c color.RGBA) {
	r := float64(f.Radius)
	centreX, centreY := float64(f.Centre.X)+x*r, float64(f.Centre.Y)+y*r
	a, b := width*r, height*r
	area := image.Rect(int(centreX-a)-1, int(centreY-b)-1, int(centreX+a)+2, int(centreY+b)+2).Intersect(photo.Bounds())
	for py := area.Min.Y; py < area.Max.Y; py++ {
		for px := area.Min.X; px < area.Max.X; px++ {
			dx, dy := (float64(px)-centreX)/a, (float64(py)-centreY)/b
			inside := (1-dx*dx-dy*dy)*min(a, b)/2 + 0.5 // about the pixel's share inside
			blend(photo, px, py, c, min(max(inside, 0), 1))
		}
	}
}

func blend(photo *image.RGBA, x, y int, c color.RGBA, share float64) {
	mix := func(under, over uint8) uint8 { return uint8(float64(under)*(1-share) + float64(over)*share) }
	old := photo.RGBAAt(x, y)
	photo.SetRGBA(x, y, color.RGBA{R: mix(old.R, c.R), G: mix(old.G, c.G), B: mix(old.B, c.B), A: 255})
}
