package ingest

import (
	"context"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"maskfleet/pkg/httpserver"
	"maskfleet/pkg/job"
	"maskfleet/pkg/jobstore"
)

const findTimeout = 5 * time.Second

// photoOf is the photo in the address, if it is the user's own.
func (s *Service) photoOf(c *fiber.Ctx, user jobstore.User) (job.Photo, error) {
	id, err := photoID(c.Params("id"))
	if err != nil {
		return job.Photo{}, err
	}
	return s.find(httpserver.Context(c), user, id)
}

// find gives a photo of the user: from the cache if its result is there, else from
// MySQL. Somebody else's photo is not found.
func (s *Service) find(ctx context.Context, user jobstore.User, id job.ID) (job.Photo, error) {
	ctx, cancel := context.WithTimeout(ctx, findTimeout)
	defer cancel()
	photo, cached, err := s.cache.Result(ctx, id)
	if err != nil {
		s.tel.Log.DebugContext(ctx, "cache not read", "photo_id", id, "err", err)
	}
	if !cached || err != nil {
		return s.findStored(ctx, user, id)
	}
	if photo.OwnerID != user.ID {
		return job.Photo{}, notFound()
	}
	return photo, nil
}

// findStored gives a photo of the user from MySQL, and the cache what it lacks.
func (s *Service) findStored(ctx context.Context, user jobstore.User, id job.ID) (job.Photo, error) {
	ctx, cancel := context.WithTimeout(ctx, findTimeout)
	defer cancel()
	photo, err := s.store.Find(ctx, id)
	if err != nil {
		return job.Photo{}, storeProblem("finding a photo", err)
	}
	s.remember(ctx, photo)
	if photo.OwnerID != user.ID {
		return job.Photo{}, notFound()
	}
	return photo, nil
}

// answered gives what the API says of a photo of the user whose result the cache has.
func (s *Service) answered(ctx context.Context, user jobstore.User, id job.ID) (answer []byte, cached bool, err error) {
	answer, owner, cached, err := s.cache.Answer(ctx, id)
	if err != nil {
		s.tel.Log.DebugContext(ctx, "cache not read", "photo_id", id, "err", err)
		return nil, false, nil
	}
	if cached && owner != user.ID {
		return nil, false, notFound()
	}
	return answer, cached, nil
}

// remember puts a finished photo into the cache, for the next who asks.
func (s *Service) remember(ctx context.Context, photo job.Photo) {
	if photo.Row.State != job.StateSucceeded {
		return
	}
	if err := s.cache.PutResult(ctx, photo.OwnerID, photo); err != nil {
		s.tel.Log.DebugContext(ctx, "cache not written", "photo_id", photo.ID, "err", err)
	}
}

// photoID reads an identity from a URL; what is none belongs to no photo.
func photoID(text string) (job.ID, error) {
	id, err := uuid.Parse(text)
	if err != nil || len(text) != len(uuid.Nil.String()) {
		return job.ID{}, notFound().WithCause(err)
	}
	return id, nil
}
