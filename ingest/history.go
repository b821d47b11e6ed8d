package ingest

import (
	"context"
	"net/http"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"maskfleet/pkg/httpserver"
	"maskfleet/pkg/job"
	"maskfleet/pkg/jobstore"
)

// listDetections answers GET /v1/detections: the caller's photos, the newest first.
func (s *Service) listDetections(c *fiber.Ctx) error {
	user, err := s.currentUser(c)
	if err != nil {
		return err
	}
	filter, size, err := historyFilter(c, user.ID)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(httpserver.Context(c), findTimeout)
	defer cancel()
	photos, err := s.store.List(ctx, filter)
	if err != nil {
		return storeProblem("listing photos", err)
	}
	return c.JSON(newList(photos, size, s.described(ctx), func(p job.Photo) string { return p.ID.String() }))
}

func historyFilter(c *fiber.Ctx, owner uuid.UUID) (filter jobstore.Filter, size int, err error) {
	filter.OwnerID = owner
	if filter.Category, err = oneOf(c, "category", job.Categories()); err != nil {
		return filter, 0, err
	}
	if filter.State, err = oneOf(c, "status", job.States()); err != nil {
		return filter, 0, err
	}
	if filter.From, err = queriedTime(c, "from"); err != nil {
		return filter, 0, err
	}
	if filter.To, err = queriedTime(c, "to"); err != nil {
		return filter, 0, err
	}
	if filter.Before, err = afterID(c); err != nil {
		return filter, 0, err
	}
	size, err = pageSize(c)
	filter.Limit = size + 1
	return filter, size, err
}

func queriedTime(c *fiber.Ctx, name string) (time.Time, error) {
	return timeIn(name, c.Query(name))
}

// timeIn reads a time of RFC 3339, or a day in UTC; the zero time is that of nothing.
func timeIn(name, text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil && t.Year() > 0 {
			return t.UTC(), nil
		}
	}
	return time.Time{}, badQuery(name, "takes a time such as 2026-11-23T15:20:00Z, or a day", nil)
}

// deletedAnswer says what a deletion removed.
type deletedAnswer struct {
	ID      uuid.UUID     `json:"id"`
	Deleted deletedCounts `json:"deleted"`
}

type deletedCounts struct {
	Photos  int `json:"photos"`
	Objects int `json:"objects"`
	Cached  int `json:"cached"`
	// Pending is of how many of the photos, which nobody finds any more, something is
	// left; it is removed as soon as that is possible.
	Pending int `json:"pending"`
}

func newDeleted(id uuid.UUID, e erased) deletedAnswer {
	return deletedAnswer{ID: id, Deleted: deletedCounts{Photos: e.Photos + e.Pending, Objects: e.Objects, Cached: e.CacheEntries, Pending: e.Pending}}
}

// deleteDetection answers DELETE /v1/detections/{id}.
func (s *Service) deleteDetection(c *fiber.Ctx) error {
	user, err := s.currentUser(c)
	if err != nil {
		return err
	}
	photo, err := s.photoOf(c, user)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(httpserver.Context(c), promiseTimeout)
	defer cancel()
	gone, err := s.eraser.erase(ctx, user.ID, photo.ID)
	if err != nil {
		return storeProblem("deleting a photo", err)
	}
	if gone.Photos+gone.Pending == 0 { // another was first
		return notFound()
	}
	s.tel.Log.InfoContext(ctx, "photo deleted", "photo_id", photo.ID, "user_id", user.ID, "objects", gone.Objects, "pending", gone.Pending)
	return c.Status(http.StatusOK).JSON(newDeleted(photo.ID, gone))
}
