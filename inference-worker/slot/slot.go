package slot

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"maskfleet/inference-worker/slot/wire"
	"maskfleet/pkg/job"
)

// ErrLost is the cause of the failure of a photo whose slot was found dead before
// the photo was sent: the photo has no part in it.
var ErrLost = errors.New("slot died while idle")

// Request is one photo to analyse.
type Request struct {
	Data []byte
	// Attempt counts the photo's attempts from 1; only simulated faults look at it.
	Attempt int
	// Timeout is how long the slot may take; 0, or more than Config.ItemTimeout: that.
	Timeout time.Duration
}

// Output is what a slot found, checked against what can be true.
type Output struct {
	Width         int // of the upright photo, pixels
	Height        int
	Faces         []job.Face
	AnnotatedJPEG []byte
	ThumbnailJPEG []byte
	Model         job.Model // that the slot runs
}

// Slot is the right to use one slot, taken from Pool.Tokens and given back with
// Release. It is used by one goroutine at a time.
type Slot struct {
	pool     *Pool
	process  *process
	release  sync.Once
	released chan struct{} // closed by Release
}

// Release gives the slot back; it may be called more than once.
func (s *Slot) Release() { s.release.Do(func() { close(s.released) }) }

// Analyze has the slot look at one photo. A photo at fault, and one that cost the
// slot its life, give a *job.Failure (the latter with SlotDeath set). When ctx ends
// first the slot is killed, which is nobody's fault, and the error is ctx's cause.
// After a death the slot is of no more use and must be released.
func (s *Slot) Analyze(ctx context.Context, r Request) (Output, error) {
	if ctx.Err() != nil {
		return Output{}, context.Cause(ctx)
	}
	if s.process.gone() {
		return Output{}, job.Fail(job.CodeInternal, fmt.Errorf("%w: %w", ErrLost, s.process.death()))
	}
	if len(r.Data) > wire.MaxPhotoBytes {
		return Output{}, job.Fail(job.CodeImageTooLarge, fmt.Errorf("%d bytes do not fit a slot", len(r.Data)))
	}
	timeout := s.pool.cfg.ItemTimeout
	if r.Timeout > 0 {
		timeout = min(timeout, r.Timeout)
	}
	s.pool.metrics.busy.Inc()
	defer s.pool.metrics.busy.Dec()
	stop := s.process.guard(ctx, timeout, s.pool.cfg.DataLimitBytes)
	result, err := s.process.exchange(r)
	verdict := stop()
	if err != nil {
		return Output{}, s.failure(ctx, err, verdict)
	}
	return Output{
		Width: result.Width, Height: result.Height, Faces: result.Faces,
		AnnotatedJPEG: result.Annotated, ThumbnailJPEG: result.Thumbnail, Model: s.process.model,
	}, nil
}

// failure tells what the photo is charged with. A slot that did not answer as
// agreed is not trusted with another photo.
func (s *Slot) failure(ctx context.Context, err error, v verdict) error {
	var reported *job.Failure
	if errors.As(err, &reported) {
		return reported
	}
	s.process.kill()
	if v == verdictCancelled {
		return context.Cause(ctx)
	}
	failure := &job.Failure{
		Code:      job.CodeDecoderCrashed,
		SlotDeath: true,
		Cause:     fmt.Errorf("slot %d: %w (%s, %w)", s.process.pid(), err, v, s.process.death()),
	}
	if v == verdictTimeout {
		failure.Code = job.CodeInferenceTimeout
	}
	s.pool.metrics.deaths.WithLabelValues(string(failure.Code)).Inc()
	return failure
}
