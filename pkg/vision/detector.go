package vision

import (
	"cmp"
	"fmt"
	"image"
	"slices"

	"gocv.io/x/gocv"

	"maskfleet/pkg/job"
	"maskfleet/pkg/visionconfig"
)

// Config is which model looks at photos, and how.
type Config = visionconfig.Config

// Output is what was found in a photo, with pictures to look at.
type Output struct {
	Width         int // of the upright photo, pixels
	Height        int
	Faces         []job.Face // surest first
	AnnotatedJPEG []byte
	ThumbnailJPEG []byte
	Steps         Steps
}

// Detection is what was found in a photo, to be measured.
type Detection struct {
	Width  int // of the upright photo, pixels
	Height int
	Faces  []Face // surest first
	Steps  Steps  // without Draw and Encode
}

// Detector analyses one photo at a time; it is not safe for concurrent use.
type Detector struct {
	model *model
	tiles visionconfig.Tiles
}

// New loads the model, holds it against its manifest, and runs it once, so that all
// OpenCV loads lazily is loaded. It keeps OpenCV to one thread in the whole process.
func New(cfg Config) (*Detector, error) {
	useOneThread()
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("checking the detector's settings: %w", err)
	}
	model, err := openModel(cfg)
	if err != nil {
		return nil, err
	}
	d := &Detector{model: model, tiles: cfg.Tiles}
	if err := d.warmUp(); err != nil {
		d.Close()
		return nil, fmt.Errorf("running the model for the first time: %w", err)
	}
	return d, nil
}

// Close frees the model.
func (d *Detector) Close() { d.model.close() }

// Model names the detector: the model with its working point, and its version.
func (d *Detector) Model() job.Model { return d.model.name }

// Analyze looks at one photo. What is wrong with the photo is a *job.Failure. Some
// faults in a file end the process: that is what slots are for.
func (d *Detector) Analyze(data []byte) (Output, error) {
	clock := startClock()
	defer clock.stop()
	found, err := d.look(data, clock)
	if err != nil {
		return Output{}, err
	}
	defer found.close()
	output := Output{Width: found.photo.size.X, Height: found.photo.size.Y, Faces: wholePixels(found.faces)}
	thumbnail := drawThumbnail(found.photo, found.seen, output.Faces)
	defer thumbnail.Close()
	annotated := drawAnnotated(found.photo, output.Faces) // draws on the photo's pixels where it can
	defer annotated.Close()
	clock.charge(&clock.steps.Draw)
	if output.AnnotatedJPEG, err = encodeJPEG(annotated, annotatedQuality); err != nil {
		return Output{}, fmt.Errorf("encoding the annotated photo: %w", err)
	}
	if output.ThumbnailJPEG, err = encodeJPEG(thumbnail, thumbnailQuality); err != nil {
		return Output{}, fmt.Errorf("encoding the thumbnail: %w", err)
	}
	clock.charge(&clock.steps.Encode)
	output.Steps = clock.steps
	return output, nil
}

// Detect finds the very faces that Analyze finds, and draws nothing.
func (d *Detector) Detect(data []byte) (Detection, error) {
	clock := startClock()
	defer clock.stop()
	found, err := d.look(data, clock)
	if err != nil {
		return Detection{}, err
	}
	found.close()
	return Detection{Width: found.photo.size.X, Height: found.photo.size.Y, Faces: found.faces, Steps: clock.steps}, nil
}

// finding is a photo, what the network saw of it, and what it found. It must be closed.
type finding struct {
	photo photo
	seen  fitted
	faces []Face
}

func (f finding) close() {
	f.photo.pixels.Close()
	f.seen.canvas.Close()
}

// look goes from the bytes of a photo to the faces in it.
func (d *Detector) look(data []byte, clock *clock) (finding, error) {
	header, err := checkWhole(data)
	if err != nil {
		return finding{}, err
	}
	if err := checkLimits(header); err != nil {
		return finding{}, err
	}
	photo, err := decode(data, header)
	if err != nil {
		return finding{}, err
	}
	clock.charge(&clock.steps.Decode)
	found := finding{photo: photo, seen: d.model.input.fit(photo.pixels)}
	clock.charge(&clock.steps.Prepare)
	boxes, err := d.boxes(found, clock)
	if err != nil {
		found.close()
		return finding{}, err
	}
	slices.SortStableFunc(boxes, func(a, b box) int { return cmp.Compare(b.confidence, a.confidence) })
	found.faces = toFaces(boxes, photo.size)
	clock.charge(&clock.steps.Boxes)
	return found, nil
}

// boxes are those of the faces, each face's once.
func (d *Detector) boxes(found finding, clock *clock) ([]box, error) {
	candidates, err := d.model.see(found.seen, found.photo.whole(), clock)
	if err != nil {
		return nil, err
	}
	whole := d.model.judge(candidates, found.photo.whole().longest())
	var tiles []image.Rectangle
	if d.tiles == visionconfig.TilesAuto {
		tiles = tilesOf(sizeOf(found.photo.pixels), d.model.input.size)
	}
	if len(tiles) == 0 {
		return whole, nil
	}
	views, err := d.model.seeTiles(found.photo, tiles, clock)
	if err != nil {
		return nil, err
	}
	large := tileOverlap * found.photo.partOf(tiles[0]).longest()
	return merge(append([][]box{whole}, views...), d.model.counts, large, d.model.overlap), nil
}

// see runs the network and gives the candidates, in pixels of the photo.
func (m *model) see(seen fitted, part area, clock *clock) ([]box, error) {
	pixels, err := seen.canvas.DataPtrUint8()
	if err != nil {
		return nil, fmt.Errorf("reading the network's input: %w", err)
	}
	size := sizeOf(seen.canvas)
	outputs, err := m.network.run(pixels, size, m.input.feed)
	if err != nil {
		return nil, err
	}
	clock.charge(&clock.steps.Network)
	found, err := m.decode.decode(outputs, size)
	if err != nil {
		return nil, err
	}
	found = toPhoto(found, seen.filled, part)
	clock.charge(&clock.steps.Boxes)
	return found, nil
}

func (d *Detector) warmUp() error {
	side := 2 * longest(d.model.input.size)
	grey := gocv.NewMatWithSizeFromScalar(gocv.NewScalar(127, 127, 127, 0), side, side, gocv.MatTypeCV8UC3)
	defer grey.Close()
	photo, err := encodeJPEG(grey, annotatedQuality)
	if err != nil {
		return err
	}
	_, err = d.Analyze(photo)
	return err
}

// whole is all of the photo.
func (p photo) whole() area {
	return area{right: float64(p.size.X), bottom: float64(p.size.Y)}
}
