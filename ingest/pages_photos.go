package ingest

import (
	"context"
	"net/http"
	"net/url"
	"slices"

	"github.com/gofiber/fiber/v2"

	"maskfleet/pkg/httpserver"
	"maskfleet/pkg/job"
	"maskfleet/pkg/jobstore"
	"maskfleet/pkg/problem"
	"maskfleet/pkg/webui"
	"maskfleet/pkg/webui/login"
)

const photosAPage = 50

// showPhotos answers GET /photos?category=&before=.
func (p *pages) showPhotos(c *fiber.Ctx) error {
	page := webui.PhotosPage{Frame: frame(c, "Photos", webui.NavPhotos), Category: job.Category(c.Query("category")), First: true}
	if page.Category != "" && !slices.Contains(page.Categories(), page.Category) {
		return problem.New(http.StatusNotFound, problem.CodeNotFound, "There is no such list.")
	}
	filter := jobstore.Filter{OwnerID: login.User(c).ID, Category: page.Category, Limit: photosAPage + 1}
	if before := c.Query("before"); before != "" {
		id, err := photoID(before)
		if err != nil {
			return err
		}
		filter.Before, page.First = id, false
	}
	ctx, cancel := context.WithTimeout(httpserver.Context(c), findTimeout)
	defer cancel()
	photos, err := p.store.List(ctx, filter)
	if err != nil {
		return storeProblem("listing photos", err)
	}
	if len(photos) > photosAPage {
		photos = photos[:photosAPage]
		page.Older = olderThan(photos[photosAPage-1].ID, page.Category)
	}
	page.Cards = cardsOf(photos)
	return p.kit.Render(c, "photos", page)
}

// olderThan is the address of the page that follows the photo.
func olderThan(id job.ID, category job.Category) string {
	query := url.Values{"before": {id.String()}}
	if category != "" {
		query.Set("category", string(category))
	}
	return "/photos?" + query.Encode()
}

// showPhoto answers GET /photos/{id}.
func (p *pages) showPhoto(c *fiber.Ctx) error {
	photo, err := p.photoOf(c, login.User(c))
	if err != nil {
		return err
	}
	page := webui.NewPhotoPage(frame(c, "", webui.NavPhotos), photo, c.Query("show"))
	page.Title = page.Name
	return p.kit.Render(c, "photo", page)
}

// showPhotoStatus answers GET /photos/{id}/status: the photo's page without its
// surroundings, for a script to put in place.
func (p *pages) showPhotoStatus(c *fiber.Ctx) error {
	photo, err := p.photoOf(c, login.User(c))
	if err != nil {
		return err
	}
	return p.kit.RenderFragment(c, "photo", "photo", webui.NewPhotoPage(frame(c, "", webui.NavPhotos), photo, ""))
}

// redirectToImage answers GET /photos/{id}/image/{variant} with a short-lived link.
func (p *pages) redirectToImage(c *fiber.Ctx) error {
	photo, err := p.photoOf(c, login.User(c))
	if err != nil {
		return err
	}
	link, err := p.imageLink(httpserver.Context(c), photo, variant(c.Params("variant")))
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderCacheControl, redirectFor)
	return c.Redirect(link, http.StatusFound)
}

// retryPhoto answers POST /photos/{id}/retry. A photo that is not at a failed end,
// or no longer, stays as it is; so does every photo while the door takes none in.
func (p *pages) retryPhoto(c *fiber.Ctx) error {
	if err := p.admission.admit(); err != nil {
		return err
	}
	photo, err := p.photoOf(c, login.User(c))
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(httpserver.Context(c), promiseTimeout)
	defer cancel()
	changed, err := p.store.Reopen(ctx, photo.ID)
	if err != nil {
		return storeProblem("reopening a photo", err)
	}
	if changed {
		if photo, err = p.store.Find(ctx, photo.ID); err != nil {
			return storeProblem("finding a reopened photo", err)
		}
		p.publisher.handOver(ctx, photo)
	}
	return c.Redirect("/photos/"+photo.ID.String(), http.StatusSeeOther)
}
