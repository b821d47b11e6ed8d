package eval

import (
	"time"

	"maskfleet/pkg/job"
)

// Run is what one detector made of a data set's photos, in their order.
type Run struct {
	Model job.Model
	// Shipped is what a user sees: the faces above the model's own thresholds.
	Shipped [][]Detection
	// All are those far below the thresholds too, from which curves are made.
	All   [][]Detection
	Costs []Cost // of the shipped detector
}

// Cost is the CPU time that a photo took, by step.
type Cost struct {
	Decode  time.Duration // from bytes to pixels
	Prepare time.Duration // to the network's size
	Network time.Duration
	Boxes   time.Duration // from the network's numbers to faces
}
