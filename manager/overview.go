package manager

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/gofiber/fiber/v2"

	"maskfleet/pkg/job"
	"maskfleet/pkg/jobqueue"
	"maskfleet/pkg/jobstore"
	"maskfleet/pkg/webui"
)

// scalerSilent is the age of the last decision from which nobody seems to scale: a
// scaler decides every few seconds, also to do nothing.
const scalerSilent = 2 * time.Minute

// showOverview answers GET /.
func (s *Service) showOverview(c *fiber.Ctx) error {
	page := s.overview()
	page.Frame = frame(c, "Overview", webui.NavOverview)
	return s.kit.Render(c, "overview", page)
}

// overview is the board as the first page shows it now.
func (s *Service) overview() webui.OverviewPage {
	b := s.board
	page := webui.OverviewPage{At: time.Now(), Troubles: b.troubles(), Parts: b.parts()}
	var workers []jobqueue.Worker
	workers, page.WorkersRead = b.workers.last()
	page.Workers = workerRows(workers)
	lately, _ := b.fleet.history.last()
	addPhotoTimes(&page, workers, lately)
	page.Lanes, page.LanesRead = b.laneRows()
	page.Intake, _ = b.pausedIntake()
	page.SentNow, page.SentRead = b.sentNow(page.Lanes)

	var open jobstore.OpenPhotos
	if open, page.OpenRead = b.open.last(); page.OpenRead.Known() {
		page.Queued, page.Processing, page.Oldest = open.Queued, open.Processing, open.Oldest
	}
	var states map[job.State]int
	if states, page.StatesRead = b.photos.last(); page.StatesRead.Known() {
		for _, state := range job.States() {
			row := webui.StateRow{State: state, Photos: states[state]}
			if page.OpenRead.Known() { // the figures above show these: of one thing a page has one number
				switch state {
				case job.StateQueued:
					row.Photos = open.Queued
				case job.StateProcessing:
					row.Photos = open.Processing
				}
			}
			page.States = append(page.States, row)
		}
	}
	var pace []jobstore.Minute
	if pace, page.PaceRead = b.pace.last(); page.PaceRead.Known() {
		page.Pace = paceOf(pace)
	}
	var failures deadGroups
	failures, page.FailuresRead = b.groups.last()
	page.Failures = failures.photos()
	var decided scaling
	if decided, page.ScalingRead = b.decisions.last(); page.ScalingRead.Known() {
		page.Scaling = scalingOf(decided, page.At)
	}
	return page
}

// laneRows are the lanes in their order.
func (b *board) laneRows() ([]webui.LaneRow, webui.Reading) {
	lanes, read := b.lanes.last()
	if !read.Known() {
		return nil, read
	}
	var rows []webui.LaneRow
	for _, name := range job.Lanes() {
		d := lanes[name]
		row := webui.LaneRow{Lane: name, Pending: d.Pending, InFlight: d.InFlight, Asking: d.Asking}
		if left := d.Paused - time.Since(read.At); d.Paused > 0 && left > 0 {
			row.PausedUntil = read.At.Add(d.Paused)
			if d.pause.Of(row.PausedUntil) {
				row.PausedBy, row.PauseReason = d.pause.By, d.pause.Reason
			}
		}
		if trial, _ := b.trial.last(); name == job.LaneCanary && trial.Lasts(time.Now()) {
			row.KeptFor = trial.Worker
		}
		rows = append(rows, row)
	}
	return rows, read
}

// lane is what the broker says of one, and who paused it, if it is.
type lane struct {
	jobqueue.Depth
	pause jobqueue.LanePause
}

func (s *Service) readLanes(ctx context.Context) (map[job.Lane]lane, error) {
	depths, err := s.queue.Depth(ctx)
	if err != nil {
		return nil, err
	}
	lanes, paused := map[job.Lane]lane{}, false
	for name, d := range depths {
		lanes[name] = lane{Depth: d}
		paused = paused || d.Paused > 0
	}
	if !paused {
		return lanes, nil
	}
	pauses, err := s.queue.LanePauses(ctx)
	for name, l := range lanes {
		l.pause = pauses[name]
		lanes[name] = l
	}
	return lanes, err
}

// pausedIntake is the pause of the intake; nil if it takes photos in.
func (b *board) pausedIntake() (*webui.Pause, webui.Reading) {
	intake, read := b.intake.last()
	if !intake.Paused(time.Now()) {
		return nil, read
	}
	return &webui.Pause{Until: intake.PausedUntil, Reason: intake.Reason, By: intake.By}, read
}

// paceOf turns it round: charts go from old to new.
func paceOf(minutes []jobstore.Minute) webui.Pace {
	var p webui.Pace
	for _, m := range slices.Backward(minutes) {
		p.Accepted = append(p.Accepted, m.Accepted)
		p.Finished = append(p.Finished, m.Succeeded+m.Failed)
		p.Failed = append(p.Failed, m.Failed)
	}
	return p
}

func scalingOf(s scaling, now time.Time) webui.ScalingNews {
	news := webui.ScalingNews{}
	if s.last != nil {
		news.Last, news.Silent = decisionRow(*s.last), now.Sub(s.last.EndedAt) > scalerSilent
	}
	if s.change != nil && (s.last == nil || s.change.ID != s.last.ID) {
		news.Change = decisionRow(*s.change)
	}
	return news
}

func decisionRow(d jobstore.ScalingDecision) *webui.DecisionRow {
	return &webui.DecisionRow{
		Since: d.BegunAt, At: d.EndedAt, Ticks: d.Ticks, Policy: d.Policy, Size: d.Size, Target: d.Target,
		Blind: d.Blind, Overridden: d.Overridden, Reason: d.Reason,
	}
}

// troubles lists the parts that do not answer, and what that means for the work.
func (b *board) troubles() []webui.Trouble {
	var list []webui.Trouble
	add := func(part, means string, since time.Time, telling bool) {
		if telling {
			list = append(list, webui.Trouble{Part: part, Since: since, Means: means})
		}
	}
	since, telling := b.mysql.trouble()
	add("MySQL", "No photo is accepted and workers wait until it is back. What was accepted is safe.", since, telling)
	since, telling = b.nats.trouble()
	add("NATS", "Workers get no photos until it is back. What was accepted is safe and is queued then. No button here works meanwhile.", since, telling)
	since, telling = b.s3.trouble()
	add("S3", "No photo is accepted and workers wait until it is back. What was accepted is safe.", since, telling)
	since, telling = b.redis.trouble()
	add("Redis", "Nobody can log in until it is back, and results take a little longer. Nothing is lost.", since, telling)
	return list
}

// parts are the stores, and how fast they answer.
func (b *board) parts() []webui.PartRow {
	var rows []webui.PartRow
	for _, p := range []struct {
		name, does string
		gauge      *gauge[time.Duration]
	}{
		{"MySQL", "the truth", b.mysql},
		{"NATS", "the queue", b.nats},
		{"S3", "the pictures", b.s3},
		{"Redis", "sessions and fast answers", b.redis},
	} {
		row := webui.PartRow{Name: p.name, Does: p.does}
		row.Took, row.Read = p.gauge.last()
		if since, telling := p.gauge.trouble(); telling {
			row.AwaySince = since
		}
		rows = append(rows, row)
	}
	return rows
}

func workerRows(workers []jobqueue.Worker) []webui.WorkerRow {
	rows := make([]webui.WorkerRow, len(workers))
	for i, w := range workers {
		rows[i] = webui.WorkerRow{
			ID: w.ID, Instance: w.Instance, Version: w.Version, Model: w.Model.Name + " " + w.Model.Version,
			Slots: w.Slots, Busy: w.Busy, Draining: w.Draining, CPU: w.CPU, SeenAt: w.SeenAt, Since: w.StartedAt,
		}
	}
	slices.SortFunc(rows, func(a, b webui.WorkerRow) int { return cmp.Compare(a.ID, b.ID) }) // a row keeps its place
	return rows
}
