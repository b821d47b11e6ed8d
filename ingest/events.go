package ingest

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/gofiber/fiber/v2"

	"maskfleet/pkg/httpserver"
	"maskfleet/pkg/job"
)

// The events of a photo's stream. After eventEnd nothing follows, and a browser
// should close the stream lest it comes back for more.
const (
	eventState = "state"
	eventEnd   = "end"
)

// streamDetection answers GET /v1/detections/{id}/events: the detection now and
// after every change of its state, until it is terminal.
func (s *Service) streamDetection(c *fiber.Ctx) error {
	user, err := s.currentUser(c)
	if err != nil {
		return err
	}
	photo, err := s.photoOf(c, user)
	if err != nil {
		return err
	}
	return httpserver.Stream(c, s.listener(c, user), func(ctx context.Context, send func(event, data string) error) error {
		return s.follow(ctx, user, photo.ID, func(photo job.Photo) error {
			d, _ := s.waitingDetection(ctx, photo)
			data, err := json.Marshal(d)
			if err != nil {
				return fmt.Errorf("encoding a detection: %w", err)
			}
			if err := send(eventState, string(data)); err != nil || !photo.Row.State.Terminal() {
				return err
			}
			return send(eventEnd, "")
		})
	})
}
