package vision

import (
	"fmt"

	"gocv.io/x/gocv"

	"maskfleet/pkg/job"
)

// Output is what was found in a photo.
type Output struct {
	Width         int // of the upright photo, pixels
	Height        int
	Faces         []job.Face // surest first
	AnnotatedJPEG []byte
	ThumbnailJPEG []byte
}

// Detector analyses one photo at a time; it is not safe for concurrent use.
type Detector struct {
	net gocv.Net
}

// New loads the embedded model and runs it once, so that all OpenCV loads lazily
// is loaded. It keeps OpenCV to one thread in the whole process.
func New() (*Detector, error) {
	useOneThread()
	net, err := loadNetwork()
	if err != nil {
		return nil, err
	}
	d := &Detector{net: net}
	if err := d.warmUp(); err != nil {
		d.Close()
		return nil, fmt.Errorf("running the model for the first time: %w", err)
	}
	return d, nil
}

// Close frees the model.
func (d *Detector) Close() { _ = d.net.Close() }

// Model names the detector.
func (d *Detector) Model() job.Model { return job.Model{Name: modelName, Version: modelVersion} }

// Analyze looks at one photo. What is wrong with the photo is a *job.Failure. Some
// faults in a file end the process: that is what slots are for.
func (d *Detector) Analyze(data []byte) (Output, error) {
	header, err := checkWhole(data)
	if err != nil {
		return Output{}, err
	}
	if err := checkLimits(header); err != nil {
		return Output{}, err
	}
	photo, err := decode(data, header)
	if err != nil {
		return Output{}, err
	}
	defer photo.pixels.Close()

	input, scale := letterbox(photo.pixels)
	defer input.Close()
	cells, err := d.forward(input)
	if err != nil {
		return Output{}, err
	}
	found := suppressOverlaps(decodeBoxes(cells))
	faces := toFaces(found, photo.size, scale*photo.reduction())

	thumbnail := drawThumbnail(photo, input, scale, faces)
	defer thumbnail.Close()
	annotated := drawAnnotated(photo, faces) // draws on photo.pixels where it can
	defer annotated.Close()
	output := Output{Width: photo.size.X, Height: photo.size.Y, Faces: faces}
	if output.AnnotatedJPEG, err = encodeJPEG(annotated, annotatedQuality); err != nil {
		return Output{}, fmt.Errorf("encoding the annotated photo: %w", err)
	}
	if output.ThumbnailJPEG, err = encodeJPEG(thumbnail, thumbnailQuality); err != nil {
		return Output{}, fmt.Errorf("encoding the thumbnail: %w", err)
	}
	return output, nil
}

func (d *Detector) warmUp() error {
	grey := gocv.NewMatWithSizeFromScalar(gocv.NewScalar(127, 127, 127, 0), 2*networkSide, 2*networkSide, gocv.MatTypeCV8UC3)
	defer grey.Close()
	photo, err := encodeJPEG(grey, annotatedQuality)
	if err != nil {
		return err
	}
	_, err = d.Analyze(photo)
	return err
}
