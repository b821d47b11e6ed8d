package manager

import (
	"context"
	"errors"
	"time"

	"maskfleet/pkg/estimate"
	"maskfleet/pkg/job"
	"maskfleet/pkg/webui"
)

var errNotMeasured = errors.New("what waits could not be measured")

// outlookReader reads how long what is sent now will take, by the estimate that the
// front doors answer with. They go on for a while by what they measured last; here a
// reading says when it was taken, so that one by an old measurement is none.
func outlookReader(s *Service) func(context.Context) (estimate.Outlook, error) {
	estimator := estimate.New(s.store, s.queue)
	return func(ctx context.Context) (estimate.Outlook, error) {
		at, _ := estimator.Measured(ctx)
		o, measured := estimator.Outlook(ctx)
		if !measured || time.Since(at) > s.cfg.Reading.ReadTimeout+s.cfg.Reading.StaleAfter {
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
