package manager

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"maskfleet/pkg/account"
	"maskfleet/pkg/httpserver"
	"maskfleet/pkg/job"
	"maskfleet/pkg/jobqueue/command"
	"maskfleet/pkg/jobstore"
	"maskfleet/pkg/problem"
	"maskfleet/pkg/webui"
)

// waiting is what of the queue stands in MySQL.
type waiting struct {
	lanes   map[job.Lane]jobstore.LaneQueue
	batches []jobstore.ActiveBatch
	names   map[uuid.UUID]string // of their owners
}

func (w waiting) photos() (n int) {
	for _, q := range w.lanes {
		n += q.Queued
	}
	return n
}

func (s *Service) readWaiting(ctx context.Context) (w waiting, err error) {
	if w.lanes, err = s.store.CountLanes(ctx); err != nil {
		return waiting{}, err
	}
	if w.batches, err = s.store.ActiveBatches(ctx); err != nil {
		return waiting{}, err
	}
	var owners []uuid.UUID
	for _, b := range w.batches {
		if !slices.Contains(owners, b.OwnerID) {
			owners = append(owners, b.OwnerID)
		}
	}
	w.names, err = s.store.Usernames(ctx, owners)
	return w, err
}

func (s *Service) queuePages() []route {
	return []route{
		look("/queue", s.showQueue),
		prepare("/queue/pause", account.RoleOperator, s.showPause),
		button[lanePauseRequest, laneAnswer]{
			path: "/queue/lanes/pause", subject: "maskfleet.lanes.pause", request: pauseLaneRequest, back: to("/queue"),
			done: func(q lanePauseRequest, a laneAnswer) webui.Said {
				return webui.Said{Words: "The lane " + string(q.Lane) + " gives out nothing until " + utc(a.PausedUntil) + "."}
			},
		}.route(s),
		button[laneRequest, laneAnswer]{
			path: "/queue/lanes/resume", subject: "maskfleet.lanes.resume", back: to("/queue"),
			request: func(form url.Values) (laneRequest, error) { return laneRequest{job.Lane(form.Get("lane"))}, nil },
			done: func(q laneRequest, a laneAnswer) webui.Said {
				return webui.Said{Words: "The lane " + string(q.Lane) + " gives out photos" + map[bool]string{true: " again.", false: "; it was not paused."}[a.WasPaused]}
			},
		}.route(s),
		button[intakePauseRequest, intakeAnswer]{
			path: "/queue/intake/pause", subject: "maskfleet.intake.pause", back: to("/queue"),
			request: func(form url.Values) (intakePauseRequest, error) {
				until, err := pauseTimeOf(form)
				return intakePauseRequest{pauseTime: until, Reason: form.Get("reason")}, err
			},
			done: func(_ intakePauseRequest, a intakeAnswer) webui.Said {
				return webui.Said{Words: "All front doors refuse photos until " + utc(a.PausedUntil) + "."}
			},
		}.route(s),
		button[struct{}, intakeAnswer]{
			path: "/queue/intake/resume", subject: "maskfleet.intake.resume", back: to("/queue"),
			request: func(url.Values) (struct{}, error) { return struct{}{}, nil },
			done: func(_ struct{}, a intakeAnswer) webui.Said {
				return webui.Said{Words: map[bool]string{true: "The front doors take photos again.", false: "The front doors take photos; they were not paused."}[a.WasPaused]}
			},
		}.route(s),
	}
}

// utc is a moment as sentences have it that no script touches.
func utc(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05") + " UTC" }

func pauseLaneRequest(form url.Values) (lanePauseRequest, error) {
	until, err := pauseTimeOf(form)
	return lanePauseRequest{Lane: job.Lane(form.Get("lane")), pauseTime: until, Reason: form.Get("reason")}, err
}

func pauseTimeOf(form url.Values) (pauseTime, error) {
	d, err := time.ParseDuration(strings.TrimSpace(form.Get("for")))
	if err != nil {
		return pauseTime{}, command.InvalidField("for", "is no duration such as 30m or 2h").WithCause(err)
	}
	return pauseTime{For: command.Duration(d)}, nil
}

// showQueue answers GET /queue.
func (s *Service) showQueue(c *fiber.Ctx) error {
	ctx, cancel := context.WithTimeout(httpserver.Context(c), firstLook)
	defer cancel()
	s.board.waiting.fresh(ctx)
	s.board.outlook.fresh(ctx)
	f := frame(c, "Queue", webui.NavQueue)
	page := s.queuePage(f.Operator)
	page.Frame = f
	return s.kit.Render(c, "queue", page)
}

// queuePage is the queue as the board knows it.
func (s *Service) queuePage(operator bool) webui.QueuePage {
	page := webui.QueuePage{At: time.Now(), Troubles: s.board.troubles()}
	page.Operator = operator
	page.Lanes, page.LanesRead = s.board.laneRows()
	page.Intake, page.IntakeRead = s.board.pausedIntake()
	page.SentNow, page.SentRead = s.board.sentNow(page.Lanes)
	w, read := s.board.waiting.last()
	if page.WaitingRead = read; !read.Known() {
		return page
	}
	page.Waiting = map[job.Lane]webui.Waiting{}
	for lane, q := range w.lanes {
		page.Waiting[lane] = webui.Waiting{Photos: q.Queued, Oldest: q.Oldest}
		page.Outside += q.Outside
		page.InMySQL += q.Queued - q.OnBroker
	}
	page.Shares = sharesOf(w)
	return page
}

// sharesOf says what each owner has in batches, who has most on the broker
// first.
func sharesOf(w waiting) []webui.ShareRow {
	var rows []webui.ShareRow
	total := 0
	for _, b := range w.batches {
		name := cmp.Or(w.names[b.OwnerID], "an account that is gone")
		i := slices.IndexFunc(rows, func(r webui.ShareRow) bool { return r.Owner == name })
		if i < 0 {
			i, rows = len(rows), append(rows, webui.ShareRow{Owner: name})
		}
		rows[i].Batches++
		rows[i].Remaining += b.Remaining
		rows[i].OnBroker += b.OnBroker
		total += b.OnBroker
	}
	for i := range rows {
		if total > 0 {
			rows[i].Share = float64(rows[i].OnBroker) / float64(total)
		}
	}
	slices.SortStableFunc(rows, func(a, b webui.ShareRow) int {
		return cmp.Or(cmp.Compare(b.OnBroker, a.OnBroker), cmp.Compare(b.Remaining, a.Remaining))
	})
	return rows
}

// showPause answers GET /queue/pause, for a lane or, without one, for the intake.
func (s *Service) showPause(c *fiber.Ctx) error {
	page := webui.PausePage{
		Action: "/queue/intake/pause", Heading: "Pause the intake", Back: "/queue",
		Means: "All front doors refuse photos within a second and say until when. What was accepted goes on.",
	}
	var subject string
	var request any
	pause := pauseTime{For: command.Duration(30 * time.Minute)}
	if lane := job.Lane(strings.Clone(c.Query("lane"))); lane != "" {
		if !slices.Contains(job.Lanes(), lane) {
			return problem.New(http.StatusNotFound, problem.CodeNotFound, "There is no such lane.")
		}
		lanes, _ := s.board.lanes.last()
		page.Lane, page.Action, page.Heading = lane, "/queue/lanes/pause", "Pause the lane "+string(lane)
		page.Means = "No photo of it is given out. " + webui.Count(lanes[lane].InFlight, "photo", "photos") + " in hand " +
			map[bool]string{true: "goes", false: "go"}[lanes[lane].InFlight == 1] + " on, " +
			webui.Count(lanes[lane].Pending, "photo waits", "photos wait") + ", and so does what is accepted meanwhile."
		subject, request = "maskfleet.lanes.pause", lanePauseRequest{Lane: lane, pauseTime: pause}
	} else {
		subject, request = "maskfleet.intake.pause", intakePauseRequest{pauseTime: pause}
	}
	text, err := json.Marshal(request)
	if err != nil {
		return err
	}
	page.Does = webui.NewCommand("does", subject, text)
	page.Frame = frame(c, page.Heading, webui.NavQueue)
	return s.kit.Render(c, "pause", page)
}
