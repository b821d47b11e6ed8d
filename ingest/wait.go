package ingest

import (
	"context"
	"time"

	"maskfleet/pkg/job"
	"maskfleet/pkg/jobstore"
)

// wait gives the photo as soon as it is terminal, or as it stands when d is over, the
// door stops or the caller's context ends. A store that is away meanwhile only makes
// it wait on. The cache is not asked at d = 0: it was, before.
func (s *Service) wait(ctx context.Context, user jobstore.User, id job.ID, d time.Duration) (job.Photo, error) {
	if d <= 0 {
		return s.findStored(ctx, user, id)
	}
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	var photo job.Photo
	err := s.follow(ctx, user, id, func(now job.Photo) error {
		photo = now
		return nil
	})
	if err == nil && photo.Row.State == "" { // the store was away all the time
		return s.find(context.WithoutCancel(ctx), user, id)
	}
	return photo, err
}

// follow calls each with the photo now and after every change of its state. It
// returns once the photo is terminal, ctx ends, the door stops or each fails.
func (s *Service) follow(ctx context.Context, user jobstore.User, id job.ID, each func(job.Photo) error) error {
	woken, unsubscribe := s.hub.subscribe(id) // before looking, so that no change is missed
	defer unsubscribe()
	var told job.State
	for {
		var again <-chan time.Time // nobody wakes us for a look that failed
		photo, err := s.find(ctx, user, id)
		switch {
		case err != nil && !away(err):
			return err
		case err != nil:
			again = time.After(s.cfg.Waiting.PollInterval)
		case photo.Row.State != told:
			told = photo.Row.State
			if err := each(photo); err != nil {
				return err
			}
			if told.Terminal() {
				return nil
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-again:
		case _, open := <-woken:
			if !open {
				return nil
			}
		}
	}
}

// lookAtPhoto is how the hub sees photos.
func (s *Service) lookAtPhoto(ctx context.Context, id job.ID) (sight, error) {
	photo, err := s.store.Find(ctx, id)
	return sight{version: string(photo.Row.State), ended: photo.Row.State.Terminal()}, err
}
