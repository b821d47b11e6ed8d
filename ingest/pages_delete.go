package ingest

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"
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
	maxChosen = 1000 // one by one; more are chosen by a list
	// deleteTimeout is for the tombstones of a whole list; what is not reached is told
	// and can be deleted again.
	deleteTimeout = time.Minute
)

// choice is which photos a form names: some one by one, or all of a list up to the
// newest that its page showed.
type choice struct {
	query  webui.ListQuery
	filter jobstore.Filter
	all    bool
	ids    []job.ID
}

func (p *pages) choiceOf(c *fiber.Ctx, form url.Values) (choice, error) {
	query, err := listQuery(form.Get)
	if err != nil {
		return choice{}, err
	}
	ch := choice{query: query, filter: filterOf(query, login.User(c).ID, zoneOf(c)), all: form.Get("all") == "yes"}
	if ch.all {
		ch.filter.Newest, err = photoID(form.Get("newest"))
		return ch, err
	}
	if len(form["id"]) > maxChosen {
		return ch, problem.New(http.StatusBadRequest, problem.CodeInvalidRequest, "These are too many photos at once.")
	}
	for _, text := range form["id"] {
		id, err := photoID(text)
		if err != nil {
			return ch, err
		}
		ch.ids = append(ch.ids, id)
	}
	return ch, nil
}

// count says how many photos of the person's are chosen.
func (p *pages) count(ctx context.Context, ch choice) (int, error) {
	if !ch.all {
		own, err := p.store.OwnIDs(ctx, ch.filter.OwnerID, ch.ids)
		return len(own), err
	}
	counts, err := p.store.CountLists(ctx, ch.filter)
	if ch.query.Category == "" {
		return counts.All, err
	}
	return counts.Of[ch.query.Category], err
}

// deletePhotos answers POST /photos/delete. Without the word that it is meant, it
// asks, naming the number.
func (p *pages) deletePhotos(c *fiber.Ctx) error {
	form, err := httpserver.Form(c)
	if err != nil {
		return err
	}
	ch, err := p.choiceOf(c, form)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(httpserver.Context(c), deleteTimeout)
	defer cancel()
	if form.Get("confirmed") != "yes" {
		return p.askToDelete(ctx, c, ch, form)
	}
	deleted, err := p.deleteChosen(ctx, ch)
	if err != nil {
		return storeProblem("deleting photos", err)
	}
	p.tel.Log.InfoContext(ctx, "photos deleted", "user_id", login.User(c).ID, "photos", deleted)
	to := ch.query.URL()
	if deleted > 0 {
		separator := "?"
		if strings.Contains(to, "?") {
			separator = "&"
		}
		to += separator + "deleted=" + strconv.Itoa(deleted)
	}
	return c.Redirect(to, http.StatusSeeOther)
}

func (p *pages) askToDelete(ctx context.Context, c *fiber.Ctx, ch choice, form url.Values) error {
	count, err := p.count(ctx, ch)
	if err != nil {
		return storeProblem("counting photos", err)
	}
	if count == 0 {
		return c.Redirect(ch.query.URL(), http.StatusSeeOther)
	}
	page := webui.DeletePage{Frame: frame(c, "Delete", webui.NavPhotos), Count: count, Query: ch.query, All: ch.all}
	if ch.all {
		page.Newest = form.Get("newest")
	} else {
		page.IDs = form["id"]
	}
	return p.kit.Render(c, "delete", page)
}

// deleteChosen sets the tombstones, some at a time. Their objects and rows go by the
// eraser's run.
func (p *pages) deleteChosen(ctx context.Context, ch choice) (deleted int, err error) {
	defer p.eraser.nudge()
	if !ch.all {
		own, _, err := p.eraser.mark(ctx, ch.filter.OwnerID, ch.ids)
		return len(own), err
	}
	ch.filter.Limit = erasedAtATime
	for {
		ids, err := p.store.ListIDs(ctx, ch.filter)
		if err != nil || len(ids) == 0 {
			return deleted, err
		}
		own, _, err := p.eraser.mark(ctx, ch.filter.OwnerID, ids)
		deleted += len(own)
		if err != nil {
			return deleted, err
		}
	}
}
