package webui

import (
	"time"

	"maskfleet/pkg/job"
)

// SentNow is how long a photo takes that is sent now, until it is done.
type SentNow struct {
	Worker        bool          // there is one that looks at photos
	Photo         time.Duration // outside of batches
	Item, Longest time.Duration // in a batch: of a new owner, and behind the batches of whoever has most
	All           time.Duration // until all that waits is done; 0: nothing waits
	PhotoPaused   bool          // the lane is
	ItemPaused    bool
}

// Words says it of a lane.
func (n SentNow) Words(lane job.Lane) string {
	switch {
	case lane == job.LaneCanary:
		return "\u2013" // nobody sends anything there
	case lane == job.LaneInteractive && n.PhotoPaused, lane == job.LaneBatch && n.ItemPaused:
		return "after the pause"
	case !n.Worker:
		return "no worker"
	case lane == job.LaneInteractive:
		return About(n.Photo)
	}
	return n.item()
}

// item is the time in a batch, or the shortest and the longest of it.
func (n SentNow) item() string {
	least, most := About(n.Item), About(n.Longest)
	if least == most {
		return least
	}
	return least + " to " + most
}

// InBatch says it of batches, beside the figure of one photo.
func (n SentNow) InBatch() string {
	if n.ItemPaused || !n.Worker && n.PhotoPaused {
		return "in a batch after the pause"
	}
	if !n.Worker {
		return "until one starts"
	}
	return "in a batch " + n.item()
}

// AllDone says when all that waits is done.
func (n SentNow) AllDone() string {
	if n.All == 0 || !n.Worker || n.PhotoPaused || n.ItemPaused {
		return ""
	}
	return "all done in about " + About(n.All)
}

// About is a duration that is an estimate: no more exact than it is.
func About(d time.Duration) string {
	if d < 10*time.Second {
		return Number(max(1, int(d.Round(time.Second)/time.Second))) + thinSpace + "s"
	}
	return Duration(d)
}
