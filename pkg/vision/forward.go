package vision

import (
	_ "embed" // the model is part of the program
	"errors"
	"fmt"
	"image"
	"slices"

	"gocv.io/x/gocv"
)

const (
	modelName    = "maskdet-416"
	modelVersion = "2026-11"

	networkSide = 416 // pixels
)

// detectorONNX takes BGR from 0 to 1 and gives a row of cellValues for every cell.
//
//go:embed model/detector_416.onnx
var detectorONNX []byte

func loadNetwork() (gocv.Net, error) {
	net, err := gocv.ReadNetFromONNXBytes(detectorONNX)
	if err != nil {
		return gocv.Net{}, fmt.Errorf("reading the model: %w", err)
	}
	if net.Empty() {
		return gocv.Net{}, errors.New("reading the model: it is empty")
	}
	return net, nil
}

// forward runs the network and gives its output, a row for every cell.
func (d *Detector) forward(input gocv.Mat) ([]float32, error) {
	blob := gocv.BlobFromImage(input, 1.0/255, image.Pt(networkSide, networkSide), gocv.Scalar{}, false, false)
	defer blob.Close()
	d.net.SetInput(blob, "")
	out := d.net.Forward("")
	defer out.Close()
	cells, err := out.DataPtrFloat32()
	if err != nil {
		return nil, fmt.Errorf("reading the network's output: %w", err)
	}
	if want := cellCount() * cellValues; len(cells) != want {
		return nil, fmt.Errorf("reading the network's output: %d values where %d belong", len(cells), want)
	}
	return slices.Clone(cells), nil // out's memory goes with it
}
