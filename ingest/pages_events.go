package ingest

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/gofiber/fiber/v2"
	"golang.org/x/sync/errgroup"

	"maskfleet/pkg/httpserver"
	"maskfleet/pkg/job"
	"maskfleet/pkg/jobstore"
	"maskfleet/pkg/problem"
	"maskfleet/pkg/webui/login"
)

// maxFollowed is how many photos one stream of a page follows: all that a list shows. The
// pages' scripts ask for no more at a time.
const maxFollowed = 50

// eventCard carries the new card of a photo whose state changed.
const eventCard = "card"

// streamCards answers GET /photos/events?ids=…: the card of each photo, now and
// after every change of its state, until all are terminal. Photos that are not the
// person's are passed over.
func (p *pages) streamCards(c *fiber.Ctx) error {
	ids, err := photoIDs(c.Query("ids"))
	if err != nil {
		return err
	}
	user := login.User(c)
	return httpserver.Stream(c, p.login.Listener(c), func(ctx context.Context, send func(event, data string) error) error {
		if err := p.followCards(ctx, user, ids, send); err != nil {
			return err
		}
		if ctx.Err() == nil {
			return send(eventEnd, "")
		}
		return nil // the browser comes back
	})
}

func (p *pages) followCards(ctx context.Context, user jobstore.User, ids []job.ID, send func(event, data string) error) error {
	all, ctx := errgroup.WithContext(ctx)
	for _, id := range ids {
		all.Go(func() error {
			err := p.follow(ctx, user, id, func(photo job.Photo) error {
				card, err := p.kit.HTML("upload", "card", p.cardOf(ctx, photo))
				if err != nil {
					return err
				}
				return send(eventCard, string(card))
			})
			var known *problem.Problem
			if errors.As(err, &known) && known.Status == http.StatusNotFound {
				return nil
			}
			return err
		})
	}
	return all.Wait()
}

// photoIDs reads a list with commas.
func photoIDs(list string) ([]job.ID, error) {
	texts := strings.Split(list, ",")
	if len(texts) > maxFollowed {
		return nil, problem.New(http.StatusBadRequest, problem.CodeInvalidRequest, "These are too many photos to follow at once.")
	}
	ids := make([]job.ID, len(texts))
	for i, text := range texts {
		id, err := photoID(text)
		if err != nil {
			return nil, err
		}
		ids[i] = id
	}
	return ids, nil
}
