package ingest

import (
	"context"
	"net/http"

	"github.com/gofiber/fiber/v2"

	"maskfleet/pkg/httpserver"
	"maskfleet/pkg/job"
	"maskfleet/pkg/webui"
	"maskfleet/pkg/webui/login"
)

// showPhoto answers GET /photos/{id}.
func (p *pages) showPhoto(c *fiber.Ctx) error {
	photo, err := p.photoOf(c, login.User(c))
	if err != nil {
		return err
	}
	page, err := p.photoPage(c, photo)
	if err != nil {
		return err
	}
	return p.kit.Render(c, "photo", page)
}

// photoPage shows a photo with its neighbours in the list that the address names.
// Without MySQL it has none.
func (p *pages) photoPage(c *fiber.Ctx, photo job.Photo) (webui.PhotoPage, error) {
	query, err := queryOf(c)
	if err != nil {
		return webui.PhotoPage{}, err
	}
	page := webui.NewPhotoPage(frame(c, "", webui.NavPhotos), photo, c.Query("show"))
	page.Title, page.Query = page.Name, query
	ctx, cancel := context.WithTimeout(httpserver.Context(c), findTimeout)
	defer cancel()
	page.Wait = p.waitOf(ctx, photo)
	newer, older, err := p.store.Neighbours(ctx, filterOf(query, photo.OwnerID, zoneOf(c)), photo.ID)
	if err != nil {
		p.tel.Log.WarnContext(ctx, "neighbours of a photo not found", "photo_id", photo.ID, "err", err)
	}
	page.Newer, page.Older = idText(newer), idText(older)
	return page, nil
}

// idText is "" for the zero id.
func idText(id job.ID) string {
	if id == (job.ID{}) {
		return ""
	}
	return id.String()
}

// showPhotoStatus answers GET /photos/{id}/status: the photo's page without its
// surroundings, for a script to put in place.
func (p *pages) showPhotoStatus(c *fiber.Ctx) error {
	photo, err := p.photoOf(c, login.User(c))
	if err != nil {
		return err
	}
	page, err := p.photoPage(c, photo)
	if err != nil {
		return err
	}
	return p.kit.RenderFragment(c, "photo", "photo", page)
}

// redirectToImage answers GET /photos/{id}/image/{variant} with a short-lived link;
// with ?save=yes the browser keeps the picture instead of showing it.
func (p *pages) redirectToImage(c *fiber.Ctx) error {
	photo, err := p.photoOf(c, login.User(c))
	if err != nil {
		return err
	}
	how := shown
	if c.Query("save") != "" {
		how = saved
	}
	link, err := p.imageLinkAs(httpserver.Context(c), photo, variant(c.Params("variant")), how)
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
	if err := p.quotas.admitPhoto(httpserver.Context(c), photo.OwnerID); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(httpserver.Context(c), promiseTimeout)
	defer cancel()
	if err := p.publisher.reopen(ctx, photo, login.User(c).Username); err != nil {
		return storeProblem("reopening a photo", err)
	}
	return c.Redirect("/photos/"+photo.ID.String(), http.StatusSeeOther)
}
