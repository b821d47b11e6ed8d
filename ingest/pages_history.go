package ingest

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // days are those of where a person is, also on a machine without the table

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"maskfleet/pkg/httpserver"
	"maskfleet/pkg/job"
	"maskfleet/pkg/jobstore"
	"maskfleet/pkg/problem"
	"maskfleet/pkg/webui"
	"maskfleet/pkg/webui/login"
)

const (
	photosAPage = 50
	maxSearch   = 255
	// countsEvery is how often an open history is told how long the lists are.
	countsEvery = 3 * time.Second
)

// The events of an open history.
const (
	eventCounts = "counts"
	eventRow    = "row"
)

// zoneCookie says in which time zone a person's days begin; the page's script sets it.
const zoneCookie = "timezone"

// zoneOf is the person's time zone; UTC if it is not known.
func zoneOf(c *fiber.Ctx) *time.Location {
	name, err := url.PathUnescape(c.Cookies(zoneCookie))
	if err != nil || name == "" || name == "Local" {
		return time.UTC
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return time.UTC
	}
	return zone
}

// listQuery reads what a person wants to see, from an address or a form.
func listQuery(get func(name string) string) (webui.ListQuery, error) {
	q := webui.ListQuery{
		Category: job.Category(get("category")), Search: strings.TrimSpace(get("q")), From: get("from"), To: get("to"),
	}
	if q.Category != "" && !slices.Contains(webui.Lists(), q.Category) {
		return q, problem.New(http.StatusNotFound, problem.CodeNotFound, "There is no such list.")
	}
	for _, day := range []string{q.From, q.To} {
		if _, err := time.Parse(time.DateOnly, day); day != "" && err != nil {
			return q, problem.New(http.StatusBadRequest, problem.CodeInvalidRequest, "A day must be written like 2026-05-31.").WithCause(err)
		}
	}
	if len(q.Search) > maxSearch {
		return q, problem.New(http.StatusBadRequest, problem.CodeInvalidRequest, "This is too long to search for.")
	}
	return q, nil
}

func queryOf(c *fiber.Ctx) (webui.ListQuery, error) {
	return listQuery(func(name string) string { return c.Query(name) })
}

// filterOf is what the store is asked for.
func filterOf(q webui.ListQuery, owner uuid.UUID, zone *time.Location) jobstore.Filter {
	f := jobstore.Filter{OwnerID: owner, Category: q.Category, Search: q.Search}
	if from, err := time.ParseInLocation(time.DateOnly, q.From, zone); err == nil {
		f.From = from
	}
	if to, err := time.ParseInLocation(time.DateOnly, q.To, zone); err == nil {
		f.To = to.AddDate(0, 0, 1)
	}
	return f
}

// showPhotos answers GET /photos?category=&q=&from=&to=&before=.
func (p *pages) showPhotos(c *fiber.Ctx) error {
	query, err := queryOf(c)
	if err != nil {
		return err
	}
	zone := zoneOf(c)
	filter := filterOf(query, login.User(c).ID, zone)
	page := webui.PhotosPage{
		Frame: frame(c, "Photos", webui.NavPhotos), Query: query, First: true, Today: time.Now().In(zone).Format(time.DateOnly),
	}
	if before := c.Query("before"); before != "" {
		if filter.Before, err = photoID(before); err != nil {
			return err
		}
		page.First = false
	}
	page.Deleted, _ = strconv.Atoi(c.Query("deleted")) // 0 if it is none: nothing is told then
	ctx, cancel := context.WithTimeout(httpserver.Context(c), findTimeout)
	defer cancel()
	if err := p.fillPhotos(ctx, &page, filter); err != nil {
		return storeProblem("listing photos", err)
	}
	return p.kit.Render(c, "photos", page)
}

func (p *pages) fillPhotos(ctx context.Context, page *webui.PhotosPage, filter jobstore.Filter) error {
	counts, err := p.store.CountLists(ctx, filter)
	if err != nil {
		return err
	}
	page.Tabs = tabsOf(page.Query, counts)
	newest := filter
	newest.Before, newest.Limit = job.ID{}, 1
	first, err := p.store.ListIDs(ctx, newest)
	if err != nil {
		return err
	}
	if len(first) > 0 {
		page.Newest = first[0].String()
	}
	filter.Limit = photosAPage + 1
	photos, err := p.store.List(ctx, filter)
	if err != nil {
		return err
	}
	if len(photos) > photosAPage {
		photos = photos[:photosAPage]
		page.Older = page.Query.Older(photos[photosAPage-1].ID.String())
	}
	page.Cards = p.cardsOf(ctx, photos)
	return nil
}

func tabsOf(query webui.ListQuery, counts jobstore.ListCounts) []webui.Tab {
	tabs := []webui.Tab{{Count: counts.All, URL: query.Of("").URL()}}
	for _, c := range webui.Lists() {
		tabs = append(tabs, webui.Tab{Category: c, Count: counts.Of[c], URL: query.Of(c).URL()})
	}
	return tabs
}

// streamHistory answers GET /photos/live?ids=…: how long the lists are, as they
// change, and the rows of those photos, until the person leaves.
func (p *pages) streamHistory(c *fiber.Ctx) error {
	query, err := queryOf(c)
	if err != nil {
		return err
	}
	var ids []job.ID
	if list := c.Query("ids"); list != "" {
		if ids, err = photoIDs(list); err != nil {
			return err
		}
	}
	user := login.User(c)
	filter := filterOf(query, user.ID, zoneOf(c))
	return httpserver.Stream(c, p.login.Listener(c), func(ctx context.Context, send func(event, data string) error) error {
		all, ctx := errgroup.WithContext(ctx)
		all.Go(func() error { return p.followCounts(ctx, filter, send) })
		for _, id := range ids {
			all.Go(func() error { return p.followRow(ctx, user, id, query, send) })
		}
		return all.Wait()
	})
}

func (p *pages) followRow(ctx context.Context, user jobstore.User, id job.ID, query webui.ListQuery, send func(event, data string) error) error {
	err := p.follow(ctx, user, id, func(photo job.Photo) error {
		row, err := p.kit.HTML("photos", "row", webui.PhotoRow{Card: p.cardOf(ctx, photo), URL: query.Photo(id.String())})
		if err != nil {
			return err
		}
		return send(eventRow, string(row))
	})
	var known *problem.Problem
	if errors.As(err, &known) && known.Status == http.StatusNotFound {
		return nil
	}
	return err
}

// followCounts tells the lengths of the lists whenever they changed. While MySQL is
// away it tells nothing.
func (p *pages) followCounts(ctx context.Context, filter jobstore.Filter, send func(event, data string) error) error {
	tick := time.NewTicker(countsEvery)
	defer tick.Stop()
	var told map[string]int
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		now, err := p.counts(ctx, filter)
		if err != nil || maps.Equal(now, told) {
			continue
		}
		data, err := json.Marshal(now)
		if err != nil {
			return err
		}
		if err := send(eventCounts, string(data)); err != nil {
			return err
		}
		told = now
	}
}

func (p *pages) counts(ctx context.Context, filter jobstore.Filter) (map[string]int, error) {
	ctx, cancel := context.WithTimeout(ctx, findTimeout)
	defer cancel()
	counts, err := p.store.CountLists(ctx, filter)
	if err != nil {
		return nil, err
	}
	all := map[string]int{"all": counts.All}
	for category, n := range counts.Of {
		all[string(category)] = n
	}
	return all, nil
}
