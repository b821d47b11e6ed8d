package ingest

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/gofiber/fiber/v2"

	"maskfleet/pkg/httpserver"
)

// eventProgress tells how far a batch is; see eventEnd.
const eventProgress = "progress"

// streamBatch answers GET /v1/batches/{id}/events: the batch now and whenever it has
// changed, until it has ended.
func (s *Service) streamBatch(c *fiber.Ctx) error {
	user, err := s.currentUser(c)
	if err != nil {
		return err
	}
	b, err := s.batchOf(c, user)
	if err != nil {
		return err
	}
	return httpserver.Stream(c, s.listener(c, user), func(ctx context.Context, send func(event, data string) error) error {
		return s.followBatch(ctx, user.ID, b.ID, func(now batchView) error {
			data, err := json.Marshal(newBatchAnswer(now))
			if err != nil {
				return fmt.Errorf("encoding a batch: %w", err)
			}
			if err := send(eventProgress, string(data)); err != nil || !now.State.Terminal() {
				return err
			}
			return send(eventEnd, string(data))
		})
	})
}
