package manager

import (
	"context"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"maskfleet/pkg/job"
	"maskfleet/pkg/jobqueue"
	"maskfleet/pkg/jobqueue/command"
)

const (
	lookedAtFor   = 15 * time.Second // that a worker is asked after somebody has looked
	askedAtMost   = 100              // workers
	askedTogether = 10
)

// workerStatus is what a worker says of itself.
type workerStatus struct {
	State    string         `json:"state"`
	Slots    int            `json:"slots"`
	Busy     int            `json:"busy"`
	Model    string         `json:"model"`
	Worker   string         `json:"worker"`
	Drain    jobqueue.Drain `json:"drain"`
	DrainBy  string         `json:"drain_by"`
	DrainWhy string         `json:"drain_why"`
	Photos   []struct {
		ID        job.ID           `json:"id"`
		Lane      job.Lane         `json:"lane"`
		Attempt   int              `json:"attempt"`
		For       command.Duration `json:"for"`
		LeaseLeft command.Duration `json:"lease_left"`
	} `json:"photos"`
	SpotNotice *jobqueue.SpotNotice `json:"spot_notice"`
}

// asked are workers, or instances, that somebody looks at and that the board asks about:
// all who look at one share one question.
type asked struct {
	mu sync.Mutex // guards at
	at map[string]time.Time
}

func newAsked() *asked { return &asked{at: map[string]time.Time{}} }

// look notes that somebody looks at it.
func (a *asked) look(id string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if _, known := a.at[id]; known || len(a.at) < askedAtMost {
		a.at[id] = time.Now()
	}
}

// lately are those that somebody has looked at of late.
func (a *asked) lately(now time.Time) []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	var all []string
	for id, at := range a.at {
		if now.Sub(at) > lookedAtFor {
			delete(a.at, id)
			continue
		}
		all = append(all, id)
	}
	return all
}

// readInHand asks the workers. One that does not answer is left out.
func (s *Service) readInHand(ctx context.Context, workers []string) (map[string]workerStatus, error) {
	var mu sync.Mutex
	found := map[string]workerStatus{}
	var all errgroup.Group
	all.SetLimit(askedTogether)
	for _, id := range workers {
		all.Go(func() error {
			status, err := command.Ask[workerStatus](ctx, s.queue, "maskfleet.worker."+id+".status", command.Asker{}, struct{}{})
			if err != nil {
				s.tel.Log.DebugContext(ctx, "worker does not say what it has in hand", "worker_id", id, "err", err)
				return nil
			}
			mu.Lock()
			defer mu.Unlock()
			found[id] = status
			return nil
		})
	}
	return found, all.Wait()
}
