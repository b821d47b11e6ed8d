package manager

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"maskfleet/pkg/account"
	"maskfleet/pkg/httpserver"
	"maskfleet/pkg/job"
	"maskfleet/pkg/jobqueue/command"
	"maskfleet/pkg/jobstore"
	"maskfleet/pkg/problem"
	"maskfleet/pkg/webui"
)

func (s *Service) failurePages() []route {
	return []route{
		look("/failures", s.showFailures),
		look("/failures/export", s.exportFailures),
		prepare("/failures/redrive", account.RoleOperator, s.showRedrive),
		button[redriveRequest, redriveAnswer]{
			path: "/failures/redrive", subject: "maskfleet.jobs.dead.redrive", nav: webui.NavFailures, request: readRedrive, back: to("/failures"),
			confirm: confirmRedrive,
			done: func(_ redriveRequest, a redriveAnswer) webui.Said {
				return webui.Said{Words: webui.Count(a.Redriven, "photo is", "photos are") + " tried again" + atWorker(a.Worker) + "; the last is due in " +
					webui.Duration(time.Duration(a.LastDueIn)) + "." + leftWords(a.Left), Wrong: a.Redriven == 0}
			},
		}.route(s),
		button[struct{}, trialEndAnswer]{
			path: "/failures/trial/end", subject: "maskfleet.jobs.dead.trial.end", nav: webui.NavFailures, back: to("/failures"),
			request: func(url.Values) (struct{}, error) { return struct{}{}, nil },
			done: func(_ struct{}, a trialEndAnswer) webui.Said {
				return webui.Said{Words: "The trial at " + a.Worker + " is over: any worker takes from the canary lane."}
			},
		}.route(s),
		button[discardRequest, discardAnswer]{
			path: "/failures/discard", subject: "maskfleet.jobs.dead.discard", nav: webui.NavFailures, back: to("/failures"),
			request: func(form url.Values) (discardRequest, error) {
				return discardRequest{selection: groupOf(form.Get), Limit: mostDead}, nil
			},
			confirm: func(_ discardRequest, dry discardAnswer) webui.ConfirmPage {
				return webui.ConfirmPage{
					Heading:     "Put " + webui.Count(dry.Discarded, "failure", "failures") + " aside?",
					Consequence: "The photos stay failed, and leave the dead letters and this page for good. Their owners still see them.",
					Facts:       leftOver(dry.Left), Nothing: dry.Discarded == 0, Danger: true, Button: "Put aside",
				}
			},
			done: func(_ discardRequest, a discardAnswer) webui.Said {
				return webui.Said{Words: webui.Count(a.Discarded, "failure is", "failures are") + " put aside." + leftWords(a.Left), Wrong: a.Discarded == 0}
			},
		}.route(s),
	}
}

func confirmRedrive(q redriveRequest, dry redriveAnswer) webui.ConfirmPage {
	how := "All at once"
	if q.PerSecond > 0 {
		how = strconv.FormatFloat(q.PerSecond, 'f', -1, 64) + " a second"
	}
	how += ", the oldest first"
	switch {
	case q.Worker != "":
		how += ", at " + q.Worker + " alone, in the canary lane"
	case q.Canary:
		how += ", in the canary lane"
	}
	page := webui.ConfirmPage{
		Heading: "Try " + webui.Count(dry.Redriven, "photo", "photos") + " again?", Consequence: how + ".",
		Facts:   []webui.Fact{{Name: "The last is due in", Value: webui.Duration(time.Duration(dry.LastDueIn))}},
		Warning: vain(job.Fail(q.Reason, nil)),
		Nothing: dry.Redriven == 0, Button: "Try " + webui.Number(dry.Redriven) + " again",
	}
	if q.Reason != "" {
		page.Facts = append(tally{{q.Reason, dry.Redriven, true}}.facts(), page.Facts...)
	}
	if q.Worker != "" && dry.Redriven > 0 {
		page.Facts = append(page.Facts, webui.Fact{Name: "No other worker takes from the canary lane until", Value: utc(dry.Until)})
	}
	page.Facts = append(page.Facts, leftOver(dry.Left)...)
	if dry.Refused > 0 {
		page.Refused = []string{webui.Count(dry.Refused, "photo", "photos") + " cannot be tried again."}
	}
	return page
}

func atWorker(id string) string {
	if id == "" {
		return ""
	}
	return " at " + id
}

// groupOf is the group of dead letters that an address or a form names.
func groupOf(get func(string) string) selection {
	return selection{Reason: job.Code(get("reason")), Model: get("model")}
}

func readRedrive(form url.Values) (redriveRequest, error) {
	q := redriveRequest{selection: groupOf(form.Get), Canary: form.Get("canary") != "", Worker: form.Get("worker")}
	var err error
	if q.Limit, err = strconv.Atoi(form.Get("limit")); err != nil {
		return q, command.InvalidField("limit", "is no number").WithCause(err)
	}
	if q.PerSecond, err = strconv.ParseFloat(cmp.Or(form.Get("per_second"), "0"), 64); err != nil {
		return q, command.InvalidField("per_second", "is no number").WithCause(err)
	}
	return q, nil
}

// showFailures answers GET /failures.
func (s *Service) showFailures(c *fiber.Ctx) error {
	ctx, cancel := within(c)
	defer cancel()
	s.board.countFailures(ctx)
	s.board.failing.once(ctx)
	f := frame(c, "Failures", webui.NavFailures)
	page := s.failuresPage(f.Operator)
	page.Frame = f
	return s.kit.Render(c, "failures", page)
}

// failuresPage is what failed as the board knows it.
func (s *Service) failuresPage(operator bool) webui.FailuresPage {
	page := webui.FailuresPage{At: time.Now(), Troubles: s.board.troubles()}
	page.Operator = operator
	var groups deadGroups
	groups, page.Read = s.board.groups.last()
	page.Total = groups.photos()
	f, read := s.board.failing.last()
	for _, g := range groups {
		row := failureGroup(g)
		row.Samples = f.samples[deadKind{g.Reason, g.Model}].list
		page.Groups = append(page.Groups, row)
	}
	page.Unknown = f.unknown || read.Stale
	for _, reason := range strays() {
		if n := f.strays[reason]; n > 0 {
			page.Strays = append(page.Strays, webui.Stray{Reason: string(reason), Letters: n})
		}
	}
	page.Trial = trialOf(f.trial, groups)
	return page
}

func failureGroup(g jobstore.DeadGroup) webui.FailureGroup {
	model := modelWords(g.Model)
	return webui.FailureGroup{
		Reason: string(g.Reason), Says: job.Fail(g.Reason, nil).Message(), Vain: vain(job.Fail(g.Reason, nil)), Model: model, Photos: g.Photos, Oldest: g.Oldest, Newest: g.Newest,
	}
}

// showRedrive answers GET /failures/redrive.
func (s *Service) showRedrive(c *fiber.Ctx) error {
	ctx, cancel := within(c)
	defer cancel()
	wanted := groupOf(func(name string) string { return strings.Clone(c.Query(name)) })
	s.board.countFailures(ctx)
	groups, _ := s.board.groups.last()
	i := slices.IndexFunc(groups, func(g jobstore.DeadGroup) bool {
		return g.Reason == wanted.Reason && modelWords(g.Model) == wanted.Model
	})
	if i < 0 {
		return problem.New(http.StatusNotFound, problem.CodeNotFound, "There are no such failures any more.")
	}
	page := webui.RedrivePage{
		Frame: frame(c, "Try again", webui.NavFailures), Group: failureGroup(groups[i]), Limit: usualCanaries, Canary: true,
	}
	if err := s.proposeRedrive(ctx, &page, groups[i]); err != nil {
		return err
	}
	return s.kit.Render(c, "redrive", page)
}

// exportFailures answers GET /failures/export with every dead letter of a group, or of
// all, a line each.
func (s *Service) exportFailures(c *fiber.Ctx) error {
	q := deadListRequest{selection: groupOf(func(name string) string { return strings.Clone(c.Query(name)) }), Limit: longestList}
	if err := oneOf("reason", q.Reason, job.Codes()); err != nil {
		return err
	}
	c.Set(fiber.HeaderContentType, "application/x-ndjson")
	c.Set(fiber.HeaderContentDisposition, `attachment; filename="dead-letters.ndjson"`)
	return httpserver.Download(c, func(ctx context.Context) io.ReadCloser {
		from, into := io.Pipe()
		go func() { // ends when all is written, or when from is closed
			into.CloseWithError(s.writeFailures(ctx, json.NewEncoder(into), q))
		}()
		return from
	})
}

func (s *Service) writeFailures(ctx context.Context, out *json.Encoder, q deadListRequest) error {
	for {
		letters, next, err := s.deadLetters(ctx, q)
		if err != nil {
			return err
		}
		for _, one := range letters {
			if err := out.Encode(one); errors.Is(err, io.ErrClosedPipe) {
				return nil
			} else if err != nil {
				return err
			}
		}
		if next == (job.ID{}) {
			return nil
		}
		q.Before = next
	}
}
