package manager

import (
	"cmp"
	"context"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"maskfleet/pkg/job"
	"maskfleet/pkg/jobqueue"
	"maskfleet/pkg/webui"
)

// counts is what MySQL says of all photos.
type counts struct {
	states map[job.State]int
	oldest time.Duration // since the oldest queued photo became due
}

// board holds every reading of the first page, each taken by a loop of its own.
type board struct {
	workers *gauge[[]jobqueue.Worker]
	lanes   *gauge[map[job.Lane]jobqueue.Depth]
	photos  *gauge[counts]
	dead    *gauge[int]
	redis   *gauge[struct{}]
}

func newBoard(s *Service) *board {
	cfg, log := s.cfg.Reading, s.tel.Log
	return &board{
		workers: &gauge[[]jobqueue.Worker]{
			name: "workers", every: cfg.LiveInterval, timeout: cfg.ReadTimeout, stale: cfg.StaleAfter, read: s.queue.Workers, log: log,
		},
		lanes: &gauge[map[job.Lane]jobqueue.Depth]{
			name: "lanes", every: cfg.LiveInterval, timeout: cfg.ReadTimeout, stale: cfg.StaleAfter, read: s.queue.Depth, log: log,
		},
		photos: &gauge[counts]{
			name: "photos", every: cfg.CountInterval, timeout: cfg.ReadTimeout, stale: cfg.StaleAfter, read: s.countPhotos, log: log,
		},
		dead: &gauge[int]{
			name: "dead letters", every: cfg.LiveInterval, timeout: cfg.ReadTimeout, stale: cfg.StaleAfter, read: s.queue.DeadLetters, log: log,
		},
		redis: &gauge[struct{}]{
			name: "redis", every: cfg.LiveInterval, timeout: cfg.ReadTimeout, stale: cfg.StaleAfter, log: log,
			read: func(ctx context.Context) (struct{}, error) { return struct{}{}, s.cache.Ping(ctx) },
		},
	}
}

func (s *Service) countPhotos(ctx context.Context) (counts, error) {
	states, oldest, err := s.store.Counts(ctx)
	return counts{states: states, oldest: oldest}, err
}

// Run takes all readings until ctx ends.
func (b *board) Run(ctx context.Context) error {
	all, ctx := errgroup.WithContext(ctx)
	for _, run := range []func(context.Context) error{b.workers.Run, b.lanes.Run, b.photos.Run, b.dead.Run, b.redis.Run} {
		all.Go(func() error { return run(ctx) })
	}
	return all.Wait()
}

// page is the board as the first page shows it now.
func (b *board) page() webui.OverviewPage {
	page := webui.OverviewPage{At: time.Now(), Troubles: b.troubles()}
	var workers []jobqueue.Worker
	workers, page.WorkersRead = b.workers.last()
	page.Workers = workerRows(workers)

	var lanes map[job.Lane]jobqueue.Depth
	if lanes, page.LanesRead = b.lanes.last(); page.LanesRead.Known() {
		for _, lane := range job.Lanes() {
			page.Lanes = append(page.Lanes, webui.LaneRow{Lane: lane, Pending: lanes[lane].Pending, InFlight: lanes[lane].InFlight})
		}
	}

	var photos counts
	if photos, page.StatesRead = b.photos.last(); page.StatesRead.Known() {
		page.OldestQueued = photos.oldest
		for _, state := range job.States() {
			page.States = append(page.States, webui.StateRow{State: state, Photos: photos.states[state]})
		}
	}
	page.DeadLetters, page.DeadRead = b.dead.last()
	return page
}

// troubles lists the parts that do not answer, and what that means for the work.
func (b *board) troubles() []webui.Trouble {
	var list []webui.Trouble
	add := func(part, means string, since time.Time, telling bool) {
		if telling {
			list = append(list, webui.Trouble{Part: part, Since: since, Means: means})
		}
	}
	since, telling := b.photos.trouble()
	add("MySQL", "No photo is accepted and workers wait until it is back. What was accepted is safe.", since, telling)
	since, telling = b.lanes.trouble()
	add("NATS", "Workers get no photos until it is back. What was accepted is safe and is queued then.", since, telling)
	since, telling = b.redis.trouble()
	add("Redis", "Nobody can log in until it is back, and results take a little longer. Nothing is lost.", since, telling)
	return list
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
