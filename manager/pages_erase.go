package manager

import (
	"net/url"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"maskfleet/pkg/account"
	"maskfleet/pkg/jobqueue/command"
	"maskfleet/pkg/webui"
)

const shownErasures = 20

func (s *Service) erasePages() []route {
	return []route{
		look("/erase", s.showErase),
		button[eraseRequest, eraseAnswer]{
			path: "/erase", subject: "maskfleet.data.erase", nav: webui.NavErase, least: account.RoleAdministrator, request: readErase, back: to("/erase"),
			confirm: confirmErase, words: eraseRequest.words, typedAs: eraseRequest.confirmed,
			done: func(_ eraseRequest, a eraseAnswer) webui.Said {
				return webui.Said{Words: "The erasure has begun: " + webui.Count(a.Found.Photos, "photo", "photos") + " that were there as it began. It goes on by itself, also if you leave, and its report stays below."}
			},
		}.route(s),
	}
}

func (q eraseRequest) confirmed(words string) eraseRequest {
	q.Confirm = words
	return q
}

func readErase(form url.Values) (eraseRequest, error) {
	q := eraseRequest{What: extent(form.Get("what")), Confirm: strings.TrimSpace(form.Get("typed"))}
	var err error
	switch q.What {
	case eraseOwner:
		q.Owner = strings.TrimSpace(form.Get("owner"))
	case eraseBatch:
		if q.Batch, err = uuid.Parse(strings.TrimSpace(form.Get("batch"))); err != nil {
			return q, command.InvalidField("batch", "is no batch's id").WithCause(err)
		}
	case eraseBefore:
		if q.Before, err = time.Parse(time.DateOnly, form.Get("before")); err != nil {
			return q, command.InvalidField("before", "is no day").WithCause(err)
		}
	}
	return q, nil
}

func confirmErase(q eraseRequest, dry eraseAnswer) webui.ConfirmPage {
	n := dry.Found
	page := webui.ConfirmPage{
		Danger: true, Facts: countFacts(n), Nothing: n.Photos == 0 && n.Batches == 0,
		Button: "Erase " + webui.Count(n.Photos, "photo", "photos"),
	}
	switch q.What {
	case eraseEverything:
		page.Heading, page.Consequence = "Erase everything?", "The photos, pictures and results of all accounts are removed."
	case eraseOwner:
		page.Heading, page.Consequence = "Erase all photos of "+q.Owner+"?", "Their photos, batches, pictures and results are removed. The account stays."
	case eraseBatch:
		page.Heading, page.Consequence = "Erase this batch?", "The batch, its photos, pictures and results are removed."
	case eraseBefore:
		day := q.Before.Format(time.DateOnly)
		page.Heading, page.Consequence = "Erase what is older than "+day+"?", "All that was accepted before "+day+" UTC is removed, whoever owns it."
	}
	if q.What != eraseBatch && q.What != eraseBefore {
		page.Consequence += " So is what is accepted until you press the button."
	}
	page.Consequence += " What is in hand ends without a result. This cannot be undone."
	page.Remains = dry.Remains
	if page.Nothing {
		page.Heading = "Nothing to erase"
	}
	return page
}

func countFacts(n eraseCounts) []webui.Fact {
	more := ""
	if n.Partial {
		more = " or more"
	}
	return []webui.Fact{
		{Name: "Photos in MySQL, with their faces", Value: webui.Number(n.Photos)},
		{Name: "Batches", Value: webui.Number(n.Batches)},
		{Name: "Objects in S3", Value: webui.Number(n.Objects) + more},
		{Name: "Results in Redis", Value: webui.Number(n.CacheEntries) + more},
		{Name: "Messages that wait or are in hand", Value: webui.Number(n.Messages)},
		{Name: "Dead letters", Value: webui.Number(n.DeadLetters)},
	}
}

// removedFacts are what an erasure removed, once it is done. Photos, batches and dead
// letters were counted as they went. What is in S3 and Redis the front doors remove, and
// what is on the broker ends by itself: of those it is known what was found.
func removedFacts(r eraseReport) []webui.Fact {
	atLeast := ""
	if r.Found.Partial {
		atLeast = " or more"
	}
	return []webui.Fact{
		{Name: "Photos removed from MySQL, with their faces", Value: webui.Number(r.Marked)},
		{Name: "Batches removed", Value: webui.Number(r.Batches)},
		{Name: "Objects found in S3 when it began", Value: webui.Number(r.Found.Objects) + atLeast},
		{Name: "Results found in Redis when it began", Value: webui.Number(r.Found.CacheEntries) + atLeast},
		{Name: "Messages that waited or were in hand when it began", Value: webui.Number(r.Found.Messages)},
		{Name: "Dead letters removed", Value: webui.Number(r.Letters)},
	}
}

// showErase answers GET /erase.
func (s *Service) showErase(c *fiber.Ctx) error {
	ctx, cancel := within(c)
	defer cancel()
	s.board.erasures.once(ctx)
	page := s.erasePage()
	page.Frame = frame(c, "Erase", webui.NavErase)
	page.Today = time.Now().UTC().Format(time.DateOnly)
	return s.kit.Render(c, "erase", page)
}

// erasePage is the list of erasures as the board knows it.
func (s *Service) erasePage() webui.ErasePage {
	page := webui.ErasePage{At: time.Now(), Troubles: s.board.troubles()}
	var list erasuresAnswer
	list, page.Read = s.board.erasures.last()
	for _, e := range list.Erasures {
		row := webui.ErasureRow{
			ID: e.ID.String(), What: e.What, AskedBy: e.AskedBy, At: e.CreatedAt, DoneAt: e.FinishedAt, Found: e.Report.Found.Photos,
			Marked: e.Report.Marked, Left: e.Report.Left, Trouble: e.Report.Trouble, Remains: e.Report.Remains, Facts: countFacts(e.Report.Found),
		}
		if !row.DoneAt.IsZero() {
			row.Facts = removedFacts(e.Report)
		}
		page.Erasures = append(page.Erasures, row)
	}
	return page
}
