package manager

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"maskfleet/pkg/job"
	"maskfleet/pkg/jobqueue/command"
	"maskfleet/pkg/problem"
	"maskfleet/pkg/webui"
)

func (s *Service) jobPages() []route {
	return []route{
		look("/jobs", s.showJobs),
		look("/jobs/:id", s.showJob),
		look("/jobs/:id/image/:variant", s.redirectToImage),
		button[targets, retryAnswer]{
			path: "/jobs/retry", subject: "maskfleet.jobs.retry", nav: webui.NavJobs, request: readTargets, back: backToJobs,
			confirm: func(q targets, dry retryAnswer) webui.ConfirmPage {
				if dry.Retried == 0 {
					return webui.ConfirmPage{Heading: "Nothing to try again", Consequence: "None of these photos can be.", Refused: refusedWords(dry.Refused), Nothing: true}
				}
				return webui.ConfirmPage{
					Heading:     "Try " + webui.Count(dry.Retried, "photo", "photos") + " again?",
					Consequence: map[bool]string{true: "It gets", false: "Each gets"}[dry.Retried == 1] + " all its attempts anew. Those of a batch open its next run.",
					Warning:     dry.Causes.vain(),
					Facts:       slices.Concat(named(dry.Name), dry.Causes.facts(), leftOverUpTo(dry.Left)), Refused: refusedWords(dry.Refused), Button: "Try again",
				}
			},
			done: func(_ targets, a retryAnswer) webui.Said {
				return webui.Said{Words: webui.Count(a.Retried, "photo waits", "photos wait") + " for another try." + leftWords(a.Left), Wrong: a.Retried == 0}
			},
		}.route(s),
		button[targets, cancelAnswer]{
			path: "/jobs/cancel", subject: "maskfleet.jobs.cancel", nav: webui.NavJobs, request: readTargets, back: backToJobs,
			confirm: func(q targets, dry cancelAnswer) webui.ConfirmPage {
				if dry.Cancelled == 0 {
					return webui.ConfirmPage{Heading: "Nothing to cancel", Consequence: "None of these photos waits.", Refused: refusedWords(dry.Refused), Nothing: true}
				}
				return webui.ConfirmPage{
					Heading:     "Cancel " + webui.Count(dry.Cancelled, "photo", "photos") + "?",
					Consequence: "Nobody looks for faces in " + map[bool]string{true: "it", false: "them"}[dry.Cancelled == 1] + ". A cancelled photo is not tried again; what is in hand finishes.",
					Facts:       slices.Concat(named(dry.Name), leftOverUpTo(dry.Left)), Refused: refusedWords(dry.Refused), Danger: true, Button: "Cancel " + webui.Count(dry.Cancelled, "photo", "photos"),
				}
			},
			done: func(_ targets, a cancelAnswer) webui.Said {
				return webui.Said{Words: webui.Count(a.Cancelled, "photo is", "photos are") + " cancelled." + leftWords(a.Left), Wrong: a.Cancelled == 0}
			},
		}.route(s),
	}
}

func leftOver(left int) []webui.Fact {
	if left == 0 {
		return nil
	}
	return leftFact(webui.Number(left))
}

// leftOverUpTo is leftOver of a count that stops.
func leftOverUpTo(left int) []webui.Fact {
	if left >= mostLeft-mostIDs {
		return leftFact("more than " + webui.Number(left))
	}
	return leftOver(left)
}

func leftFact(words string) []webui.Fact {
	return []webui.Fact{{Name: "More that match, for the next time", Value: words}}
}

func leftWords(left int) string {
	if left == 0 {
		return ""
	}
	return " " + webui.Count(left, "more matches.", "more match.")
}

// refusedWords counts refusals that have the same reason.
func refusedWords(list []refusal) []string {
	counts := map[string]int{}
	var order, words []string
	for _, r := range list {
		if counts[r.Detail] == 0 {
			order = append(order, r.Detail)
		}
		counts[r.Detail]++
	}
	for _, detail := range order {
		words = append(words, webui.Count(counts[detail], "photo stays as it is: ", "photos stay as they are: ")+detail)
	}
	return words
}

// readTargets reads what was chosen: photos, or all that match.
func readTargets(form url.Values) (targets, error) {
	if form.Get("all") != "" {
		values, err := url.ParseQuery(form.Get("match"))
		if err != nil {
			return targets{}, command.InvalidField("match", "is no query").WithCause(err)
		}
		q, err := listRequestOf(webui.ReadJobQuery(values.Get))
		return targets{Match: &q}, err
	}
	var q targets
	for _, text := range form["id"] {
		id, err := uuid.Parse(text)
		if err != nil {
			return targets{}, command.InvalidField("id", "is no photo's").WithCause(err)
		}
		q.IDs = append(q.IDs, id)
	}
	if len(q.IDs) == 0 {
		return targets{}, command.Invalid("No photo was chosen.")
	}
	return q, nil
}

// backToJobs is the list, or the photo, from which something was done.
func backToJobs(form url.Values) string {
	if id, err := uuid.Parse(form.Get("photo")); err == nil {
		return "/jobs/" + id.String()
	}
	values, err := url.ParseQuery(form.Get("match"))
	if err != nil {
		return "/jobs"
	}
	return webui.ReadJobQuery(values.Get).URL()
}

// listRequestOf is what was chosen in the command's words.
func listRequestOf(q webui.JobQuery) (listRequest, error) {
	r := listRequest{
		State: job.State(q.State), Lane: job.Lane(q.Lane), Owner: q.Owner, Category: job.Category(q.Category), Code: job.Code(q.Code),
		Model: q.Model, Worker: q.Worker, Name: q.Name, SHA256: q.SHA256,
	}
	var err error
	if q.Batch != "" {
		if r.Batch, err = uuid.Parse(q.Batch); err != nil {
			return listRequest{}, command.InvalidField("batch", "is no batch's id").WithCause(err)
		}
	}
	if r.From, err = readMoment("from", q.From, 0); err != nil {
		return listRequest{}, err
	}
	r.To, err = readMoment("to", q.To, 24*time.Hour)
	return r, err
}

// readMoment reads a day or a moment, in UTC; of a day it gives what is so far behind
// its beginning.
func readMoment(field, text string, ofDay time.Duration) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if day, err := time.Parse(time.DateOnly, text); err == nil {
		return day.Add(ofDay), nil
	}
	for _, form := range []string{"2006-01-02T15:04", "2006-01-02T15:04:05", time.RFC3339} {
		if at, err := time.Parse(form, text); err == nil {
			return at.UTC(), nil
		}
	}
	return time.Time{}, command.InvalidField(field, "is neither a day such as 2026-03-01 nor a moment such as 2026-03-01T12:30")
}

// showJobs answers GET /jobs. The id of a photo leads to the photo, the SHA-256 of a file
// to all photos that have these bytes.
func (s *Service) showJobs(c *fiber.Ctx) error {
	get := func(name string) string { return strings.TrimSpace(strings.Clone(c.Query(name))) }
	if id, err := uuid.Parse(get("id")); err == nil {
		return c.Redirect("/jobs/"+id.String(), http.StatusSeeOther)
	}
	if sum := get("id"); len(sum) == hex.EncodedLen(sha256.Size) {
		return c.Redirect(webui.JobQuery{SHA256: sum}.URL(), http.StatusSeeOther)
	}
	page := webui.JobsPage{
		Frame: frame(c, "Jobs", webui.NavJobs), Query: webui.ReadJobQuery(get), First: get("before") == "",
		States: job.States(), Lanes: job.Lanes(), Codes: job.Codes(), Categories: job.Categories(),
	}
	q, err := listRequestOf(page.Query)
	if err == nil && !page.First {
		if q.Before, err = uuid.Parse(get("before")); err != nil {
			err = command.InvalidField("before", "is no photo's id").WithCause(err)
		}
	}
	var answer listAnswer
	if err == nil {
		ctx, cancel := within(c)
		defer cancel()
		answer, err = s.listPhotos(ctx, q)
	}
	var p *problem.Problem
	switch {
	case errors.As(err, &p) && p.Status < http.StatusInternalServerError:
		page.Wrong = p.Detail
	case err != nil:
		return err
	}
	for _, l := range answer.Photos {
		page.Rows = append(page.Rows, jobRow(l))
	}
	if answer.Next != (job.ID{}) {
		page.Next = page.Query.Older(answer.Next.String())
	}
	return s.kit.Render(c, "jobs", page)
}

func jobRow(l listed) webui.JobRow {
	return webui.JobRow{
		ID: l.ID.String(), Name: cmp.Or(l.Filename, l.Link, "a photo without a name"), Owner: l.Owner, State: l.State, Category: l.Category,
		Code: l.Code, Lane: l.Lane, Attempts: l.Attempts, Worker: l.Worker, AcceptedAt: l.CreatedAt, EndedAt: l.EndedAt,
	}
}

// photoID is the photo that an address names.
func photoID(c *fiber.Ctx) (job.ID, error) {
	id, err := uuid.Parse(c.Params("id"))
	if err != nil {
		return job.ID{}, problem.New(http.StatusNotFound, problem.CodeNotFound, "There is no such photo.").WithCause(err)
	}
	return id, nil
}

// showJob answers GET /jobs/{id}. Without the broker it shows what the row says.
func (s *Service) showJob(c *fiber.Ctx) error {
	id, err := photoID(c)
	if err != nil {
		return err
	}
	ctx, cancel := within(c)
	defer cancel()
	photo, owner, err := s.findPhoto(ctx, id)
	if err != nil {
		return err
	}
	answer := describe(photo, owner)
	brokerErr := s.addBroker(ctx, &answer, photo)
	if brokerErr != nil {
		s.tel.Log.DebugContext(ctx, "photo shown without the broker", "photo_id", id, "err", brokerErr)
	}
	page := jobPage(photo, answer)
	page.Unknown = brokerErr != nil
	page.Frame = frame(c, page.Name, webui.NavJobs)
	if err := addCommands(&page); err != nil {
		return err
	}
	return s.kit.Render(c, "job", page)
}

func addCommands(page *webui.JobPage) error {
	id, err := json.Marshal(page.ID)
	if err != nil {
		return err
	}
	one, many := fmt.Sprintf(`{"id":%s}`, id), fmt.Sprintf(`{"ids":[%s]}`, id)
	page.Get = webui.NewCommand("get", "maskfleet.jobs.get", []byte(one)).That("show all that is known of it")
	page.Retry = webui.NewCommand("retry", "maskfleet.jobs.retry", []byte(many)).That("try it again")
	page.Cancel = webui.NewCommand("cancel", "maskfleet.jobs.cancel", []byte(many)).That("cancel it")
	return nil
}
