package manager

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"maskfleet/pkg/job"
	"maskfleet/pkg/jobqueue"
	"maskfleet/pkg/jobqueue/command"
	"maskfleet/pkg/jobstore"
	"maskfleet/pkg/problem"
)

const (
	mostTried = 100              // photos of one trial
	trialTime = 30 * time.Minute // after the last of them is due
)

// exampleTrial is for `nats micro info`.
func exampleTrial() trialAnswer {
	at := exampleMoment()
	return trialAnswer{
		Worker: "local-1", Alive: true, Lasts: true, Until: at.Add(trialTime), BegunAt: at, By: "operator",
		Reason: job.CodeDecoderCrashed, Model: "maskfleet 3", Succeeded: 1,
		Photos: []triedPhoto{{ID: exampleID(), Name: "gate.jpg", State: job.StateSucceeded, Worker: "local-1"}},
	}
}

// trialAnswer is the trial that began last, and how its photos have fared.
type trialAnswer struct {
	Worker    string       `json:"worker,omitempty"` // "": there never was a trial
	Alive     bool         `json:"alive"`            // the worker is, and takes photos
	Lasts     bool         `json:"lasts"`            // no other worker takes from the canary lane
	Until     time.Time    `json:"until,omitzero"`
	BegunAt   time.Time    `json:"begun_at,omitzero"`
	By        string       `json:"by,omitempty"`
	Reason    job.Code     `json:"reason,omitempty"`
	Model     string       `json:"model,omitempty"`
	Succeeded int          `json:"succeeded"`
	Failed    int          `json:"failed"`
	Open      int          `json:"open"`           // waiting, or in hand
	Gone      int          `json:"gone,omitempty"` // deleted, cancelled or expired meanwhile
	Photos    []triedPhoto `json:"photos"`
}

type triedPhoto struct {
	ID     job.ID    `json:"id"`
	Name   string    `json:"name,omitempty"` // of the file, or its link
	State  job.State `json:"state"`
	Code   job.Code  `json:"code,omitempty"` // of the failure
	Worker string    `json:"worker,omitempty"`
}

func (s *Service) showTrial(ctx context.Context, _ struct{}) (trialAnswer, error) {
	trial, err := s.queue.Trial(ctx)
	if err != nil || trial.Worker == "" {
		return trialAnswer{Photos: []triedPhoto{}}, err
	}
	workers, err := s.queue.Workers(ctx)
	if err != nil {
		return trialAnswer{}, err
	}
	return s.howItGoes(ctx, trial, takesPhotos(workers, trial.Worker))
}

// howItGoes counts how the photos of a trial have fared.
func (s *Service) howItGoes(ctx context.Context, trial jobqueue.Trial, alive bool) (trialAnswer, error) {
	a := trialAnswer{
		Worker: trial.Worker, Alive: alive, Lasts: trial.Lasts(time.Now()), Until: trial.Until, BegunAt: trial.BegunAt, By: trial.By,
		Reason: trial.Reason, Model: trial.Model, Photos: []triedPhoto{}, Gone: len(trial.Photos),
	}
	if len(trial.Photos) == 0 {
		return a, nil
	}
	photos, err := s.store.SearchPhotos(ctx, jobstore.Search{IDs: trial.Photos, Limit: len(trial.Photos)})
	for _, p := range photos {
		one := triedPhoto{ID: p.ID, Name: nameOf(p), State: p.Row.State, Worker: p.WorkerID}
		switch {
		case !p.Row.State.Terminal():
			a.Open++
		case p.Row.State == job.StateSucceeded:
			a.Succeeded++
		case p.Row.State == job.StateFailed:
			a.Failed++
		}
		if p.Failure != nil {
			one.Code = p.Failure.Code
		}
		a.Photos = append(a.Photos, one)
	}
	a.Gone -= a.Open + a.Succeeded + a.Failed
	return a, err
}

// over says whether nothing of the trial is open any more.
func (a trialAnswer) over() bool { return a.Open == 0 }

// takesPhotos says whether a worker is alive and not leaving.
func takesPhotos(workers []jobqueue.Worker, id string) bool {
	return slices.ContainsFunc(workers, func(w jobqueue.Worker) bool { return w.ID == id && !w.Draining })
}

// beginTrial keeps the canary lane for one worker before any photo goes there, so that
// no other can be quicker. One trial at a time: a second would have the photos of the
// first wait for a worker that may not take them.
func (s *Service) beginTrial(ctx context.Context, call command.Call, q redriveRequest, list []job.ID, now time.Time) (until time.Time, err error) {
	workers, err := s.queue.Workers(ctx)
	if err != nil {
		return time.Time{}, err
	}
	if !takesPhotos(workers, q.Worker) {
		return time.Time{}, problem.New(http.StatusConflict, problem.CodeConflict, "There is no worker of that name, or it takes no photos at the moment.").
			WithField("worker", "takes no photos")
	}
	before, err := s.queue.Trial(ctx)
	if err != nil {
		return time.Time{}, err
	}
	if before.Lasts(now) {
		going, err := s.howItGoes(ctx, before, true)
		if err != nil {
			return time.Time{}, err
		}
		if !going.over() {
			return time.Time{}, problem.New(http.StatusConflict, problem.CodeConflict,
				fmt.Sprintf("A trial at %s goes on: %d of its photos are open. Wait for them, or end it.", before.Worker, going.Open))
		}
	}
	until = now.Add(q.after(len(list)) + trialTime)
	if call.DryRun {
		return until, nil
	}
	return until, s.queue.PutTrial(ctx, jobqueue.Trial{
		Worker: q.Worker, Until: until, BegunAt: now, By: call.By.Name, Reason: q.Reason, Model: q.Model, Photos: list,
	})
}

// openTrial notes that all photos of a trial are open. Without that note it is waited a
// while for more of them, before it counts as over.
func (s *Service) openTrial(ctx context.Context, begun time.Time) {
	if err := s.queue.OpenTrial(ctx, begun); err != nil {
		s.tel.Log.WarnContext(ctx, "trial not noted as open", "err", err)
	}
}

type trialEndAnswer struct {
	Worker   string `json:"worker,omitempty"`
	WasGoing bool   `json:"was_going"`
	Open     int    `json:"open"` // photos that any worker takes now
}

// endTrial opens the canary lane to everybody. What became of the photos is still known.
func (s *Service) endTrial(ctx context.Context, call command.Call, _ struct{}) (trialEndAnswer, error) {
	trial, err := s.queue.Trial(ctx)
	if err != nil {
		return trialEndAnswer{}, err
	}
	going, err := s.howItGoes(ctx, trial, true)
	if err != nil {
		return trialEndAnswer{}, err
	}
	answer := trialEndAnswer{Worker: trial.Worker, WasGoing: going.Lasts, Open: going.Open}
	if call.DryRun || !going.Lasts {
		return answer, nil
	}
	answer.WasGoing, err = s.queue.EndTrial(ctx, trial.BegunAt)
	return answer, err
}

// keptForAnother refuses photos that would wait in the canary lane for the end of a
// trial that they are not part of.
func (s *Service) keptForAnother(ctx context.Context) error {
	trial, err := s.queue.Trial(ctx)
	if err != nil || !trial.Lasts(time.Now()) {
		return err
	}
	return problem.New(http.StatusConflict, problem.CodeConflict, fmt.Sprintf(
		"The canary lane is kept for %s until %s at most. End the trial, wait for it, or try these in their own lanes.", trial.Worker, utc(trial.Until))).
		WithField("canary", "is kept for a trial")
}
