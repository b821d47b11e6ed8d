package ingest

import (
	"context"
	"math"
	"strconv"

	"maskfleet/pkg/apiv1"
	"maskfleet/pkg/job"
)

// longestRetryAfter bounds the advice to come again later, in seconds: an estimate
// may be wrong, and workers may be added.
const longestRetryAfter = 30

// described is waitingDetection for lists.
func (s *Service) described(ctx context.Context) func(job.Photo) apiv1.Detection {
	return func(p job.Photo) apiv1.Detection {
		d, _ := s.waitingDetection(ctx, p)
		return d
	}
}

// waitingDetection is the answer about a photo, with how long it may still take if it
// has not ended, and when to ask again: empty if there is no need to.
func (s *Service) waitingDetection(ctx context.Context, p job.Photo) (d apiv1.Detection, retryAfter string) {
	d = apiv1.NewDetection(p)
	if p.Row.State.Terminal() {
		return d, ""
	}
	wait, ok := s.estimator.Photo(ctx, p)
	if !ok {
		return d, acceptedRetryAfter
	}
	ms := apiv1.Milliseconds(wait)
	d.EstimatedWaitMS = &ms
	return d, strconv.Itoa(min(max(int(math.Ceil(wait.Seconds())), 1), longestRetryAfter))
}
