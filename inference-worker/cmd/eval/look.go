package main

import (
	"fmt"
	"io"
	"os"

	"maskfleet/inference-worker/eval"
	"maskfleet/pkg/vision"
)

// leastConfidence is low enough for the curves to reach as far as a model's candidates do.
const leastConfidence = 0.001

// looker is a detector twice: as it is shipped, and far below its thresholds.
type looker struct {
	shipped   *vision.Detector
	sensitive *vision.Detector
}

func openLookers(configs []vision.Config) ([]looker, error) {
	var lookers []looker
	for _, cfg := range configs {
		var l looker
		var err error
		if l.shipped, err = vision.New(cfg); err != nil {
			closeAll(lookers)
			return nil, fmt.Errorf("opening the detector: %w", err)
		}
		cfg.LeastConfidence = leastConfidence
		if l.sensitive, err = vision.New(cfg); err != nil {
			l.shipped.Close()
			closeAll(lookers)
			return nil, fmt.Errorf("opening the detector: %w", err)
		}
		lookers = append(lookers, l)
	}
	return lookers, nil
}

func closeAll(lookers []looker) {
	for _, l := range lookers {
		l.shipped.Close()
		l.sensitive.Close()
	}
}

// lookAtAll shows every photo to every detector before the next photo, so that what
// else the machine does meets them all alike.
func lookAtAll(set eval.DataSet, lookers []looker, progress io.Writer) ([]eval.Run, error) {
	for _, photo := range set.Photos { // minutes before the last one would be missed
		if _, err := os.Stat(set.Path(photo)); err != nil {
			return nil, fmt.Errorf("reading a photo: %w", err)
		}
	}
	runs := make([]eval.Run, len(lookers))
	for i, l := range lookers {
		runs[i].Model = l.shipped.Model()
	}
	for i, photo := range set.Photos {
		data, err := os.ReadFile(set.Path(photo))
		if err != nil {
			return nil, fmt.Errorf("reading a photo: %w", err)
		}
		for at := range lookers {
			if i%2 == 1 { // nobody always comes first
				at = len(lookers) - 1 - at
			}
			if err := lookers[at].look(photo, data, &runs[at]); err != nil {
				return nil, fmt.Errorf("looking at %s: %w", photo.FileName, err)
			}
		}
		if done := i + 1; done%50 == 0 || done == len(set.Photos) {
			fmt.Fprintf(progress, "%d of %d photos\n", done, len(set.Photos))
		}
	}
	return runs, nil
}

func (l looker) look(photo eval.Photo, data []byte, into *eval.Run) error {
	all, err := l.sensitive.Detect(data)
	if err != nil {
		return err
	}
	if all.Width != photo.Width || all.Height != photo.Height {
		return fmt.Errorf("it has %d x %d pixels, its boxes are for %d x %d", all.Width, all.Height, photo.Width, photo.Height)
	}
	shipped, err := l.shipped.Detect(data)
	if err != nil {
		return err
	}
	into.All = append(into.All, detections(all.Faces))
	into.Shipped = append(into.Shipped, detections(shipped.Faces))
	into.Costs = append(into.Costs, eval.Cost{
		Decode: shipped.Steps.Decode, Prepare: shipped.Steps.Prepare,
		Network: shipped.Steps.Network, Boxes: shipped.Steps.Boxes,
	})
	return nil
}

func detections(faces []vision.Face) []eval.Detection {
	list := make([]eval.Detection, 0, len(faces))
	for _, f := range faces {
		list = append(list, eval.Detection{
			Class: f.Label, Score: f.Confidence,
			Box: eval.Box{X: f.Left, Y: f.Top, Width: f.Right - f.Left, Height: f.Bottom - f.Top},
		})
	}
	return list
}
