package manager

import (
	"context"
	"errors"

	"maskfleet/pkg/estimate"
	"maskfleet/pkg/job"
	"maskfleet/pkg/webui"
)

var errNotMeasured = errors.New("what waits could not be measured")

// outlookReader reads how long what is sent now will take, by the estimate that the
// front doors answer with.
func outlookReader(s *Service) func(context.Context) (estimate.Outlook, error) {
	estimator := estimate.New(s.store, s.queue)
	return func(ctx context.Context) (estimate.Outlook, error) {
		o, measured := estimator.Outlook(ctx)
		if !measured {
			return estimate.Outlook{}, errNotMeasured
		}
		return o, nil
	}
}

// sentNow says for the lanes how long a photo takes that is sent now.
func (b *board) sentNow(lanes []webui.LaneRow) (webui.SentNow, webui.Reading) {
	o, read := b.outlook.last()
	now := webui.SentNow{Worker: o.Worker, Photo: o.Photo, Item: o.Item, Longest: o.Longest, All: o.All}
	for _, row := range lanes {
		if !row.PausedUntil.IsZero() {
			now.PhotoPaused = now.PhotoPaused || row.Lane == job.LaneInteractive
			now.ItemPaused = now.ItemPaused || row.Lane == job.LaneBatch
		}
	}
	return now, read
}
