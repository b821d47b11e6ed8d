package ingest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"time"

	"github.com/gofiber/fiber/v2"

	"maskfleet/pkg/httpserver"
	"maskfleet/pkg/job"
	"maskfleet/pkg/jobstore"
	"maskfleet/pkg/problem"
	"maskfleet/pkg/webui"
	"maskfleet/pkg/webui/login"
)

const (
	recentPhotos  = 48 // on the upload page
	recentFor     = 24 * time.Hour
	maxFilesAForm = 1000 // sent without script
	theRest       = "The rest of the files"
)

// showUpload answers GET /.
func (p *pages) showUpload(c *fiber.Ctx) error {
	return p.renderUpload(c, webui.UploadPage{})
}

func (p *pages) renderUpload(c *fiber.Ctx, page webui.UploadPage) error {
	ctx, cancel := context.WithTimeout(httpserver.Context(c), findTimeout)
	defer cancel()
	recent, err := p.store.List(ctx, jobstore.Filter{
		OwnerID: login.User(c).ID, Lane: job.LaneInteractive, From: time.Now().Add(-recentFor), Limit: recentPhotos,
	})
	if err != nil {
		return storeProblem("listing recent photos", err)
	}
	page.Frame = frame(c, "Upload", webui.NavUpload)
	page.MaxPhotoBytes = p.cfg.Photo.MaxBytes
	page.Recent = p.cardsOf(ctx, recent)
	return p.kit.Render(c, "upload", page)
}

func (p *pages) cardsOf(ctx context.Context, photos []job.Photo) []webui.Card {
	cards := make([]webui.Card, len(photos))
	for i, photo := range photos {
		cards[i] = p.cardOf(ctx, photo)
	}
	return cards
}

// leastWait is what a person is told of: anything shorter is over before it is read.
const leastWait = 2 * time.Second

func (p *pages) cardOf(ctx context.Context, photo job.Photo) webui.Card {
	card := webui.NewCard(photo)
	card.Wait = p.waitOf(ctx, photo)
	return card
}

// waitOf is how long a waiting photo still takes, zero if nobody knows or it is short.
func (p *pages) waitOf(ctx context.Context, photo job.Photo) time.Duration {
	if photo.Row.State != job.StateQueued {
		return 0
	}
	wait, known := p.estimator.Photo(ctx, photo)
	if !known || wait < leastWait {
		return 0
	}
	return wait
}

// takePhotos answers POST /photos: one photo of a script, or all files of a form.
func (p *pages) takePhotos(c *fiber.Ctx) error {
	if wantsCard(c) {
		return p.takeOnePhoto(c)
	}
	if err := p.admission.admit(); err != nil {
		return err
	}
	taken, err := p.takeForm(c)
	if err != nil {
		return err
	}
	switch {
	case len(taken.refused) > 0:
		if after := taken.retryAfter(); after != "" {
			c.Set(fiber.HeaderRetryAfter, after)
		}
		return p.renderUpload(c.Status(taken.status()), webui.UploadPage{Refused: taken.refused})
	case len(taken.photos) == 1:
		return c.Redirect("/photos/"+taken.photos[0].ID.String(), http.StatusSeeOther)
	default:
		return c.Redirect("/photos", http.StatusSeeOther)
	}
}

func (p *pages) takeOnePhoto(c *fiber.Ctx) error {
	form, err := p.readForm(c)
	defer form.release()
	if err != nil {
		return err
	}
	photo, err := p.acceptUpload(httpserver.Context(c), login.User(c), *form.file)
	if err != nil {
		return err
	}
	return p.answerCard(c, photo)
}

func (p *pages) answerCard(c *fiber.Ctx, photo job.Photo) error {
	return p.kit.RenderFragment(c.Status(http.StatusCreated), "upload", "card", p.cardOf(httpserver.Context(c), photo))
}

// taken is what became of the files of a form.
type taken struct {
	photos  []job.Photo
	refused []webui.Refused
	first   *problem.Problem // of the refused
}

func (t *taken) refuse(name string, err error) {
	why := problem.From(err)
	if t.first == nil {
		t.first = why
	}
	t.refused = append(t.refused, webui.Refused{Name: name, Reason: why.Detail})
}

// status is that of the first refusal, unless something was accepted.
func (t *taken) status() int {
	if len(t.photos) > 0 {
		return http.StatusOK
	}
	return t.first.Status
}

// retryAfter is that of the first refusal, unless something was accepted.
func (t *taken) retryAfter() string {
	if len(t.photos) > 0 {
		return ""
	}
	return t.first.RetryAfterHeader()
}

// takeForm takes the files one after the other, with one in memory at a time. One
// that is refused does not stand in the way of the next.
func (p *pages) takeForm(c *fiber.Ctx) (*taken, error) {
	parts, err := httpserver.MultipartReader(c)
	if err != nil {
		return nil, err
	}
	t := &taken{}
	for n := 0; ; n++ {
		part, err := parts.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.refuse(theRest, unreadableBody(err))
			break
		}
		if n == maxFilesAForm {
			t.refuse(theRest, tooManyInAForm())
			break
		}
		p.takeFile(c, part, t)
	}
	if len(t.photos)+len(t.refused) == 0 {
		return nil, missingFile()
	}
	return t, nil
}

func tooManyInAForm() error {
	return problem.New(http.StatusBadRequest, problem.CodeTooManyFiles,
		fmt.Sprintf("At most %d files are taken at a time; please send the others again.", maxFilesAForm))
}

func (p *pages) takeFile(c *fiber.Ctx, part *multipart.Part, t *taken) {
	name, isFile := partFileName(part)
	if !isFile {
		return // a field that no page of ours sends
	}
	if name == "" { // the form was sent with nothing chosen
		t.refuse("The upload", missingFile())
		return
	}
	err := p.takePart(part, func(_ string, up *upload) error {
		defer up.release()
		photo, err := p.acceptUpload(httpserver.Context(c), login.User(c), *up)
		if err == nil {
			t.photos = append(t.photos, photo)
		}
		return err
	}, nil)
	if err != nil {
		t.refuse(name, err)
	}
}

// takeLink answers POST /links.
func (p *pages) takeLink(c *fiber.Ctx) error {
	form, err := httpserver.Form(c)
	if err != nil {
		return err
	}
	link := form.Get("link")
	photo, err := p.acceptLink(httpserver.Context(c), login.User(c), link, nil)
	switch {
	case err != nil && wantsCard(c):
		return err
	case err != nil:
		why := problem.From(err)
		if why.Status >= http.StatusInternalServerError {
			return err
		}
		return p.renderUpload(c.Status(why.Status), webui.UploadPage{
			Link: link, Refused: []webui.Refused{{Name: link, Reason: why.Detail}},
		})
	case wantsCard(c):
		return p.answerCard(c, photo)
	default:
		return c.Redirect("/photos/"+photo.ID.String(), http.StatusSeeOther)
	}
}
