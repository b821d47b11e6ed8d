package manager

import (
	"context"
	"time"

	"maskfleet/pkg/jobqueue"
	"maskfleet/pkg/jobstore"
)

// canaryGone is how long the worker of a trial may take no photos, which those of the
// trial wait for.
const canaryGone = time.Minute

// trialKeeper ends trials that have nothing more to show. While one lasts the canary
// lane is closed to all workers but one, and whatever is put there waits.
type trialKeeper struct {
	begunAt time.Time // of the trial that it knows
	gone    time.Time // since when the worker takes no photos; zero: it does
}

// over says why a trial should end; empty: it should not.
func (k *trialKeeper) over(now time.Time, trial jobqueue.Trial, going trialAnswer) string {
	if !k.begunAt.Equal(trial.BegunAt) {
		*k = trialKeeper{begunAt: trial.BegunAt}
	}
	if going.Alive {
		k.gone = time.Time{}
	} else if k.gone.IsZero() {
		k.gone = now
	}
	switch {
	case !trial.Opened && now.Sub(trial.BegunAt) < longCommand: // its photos are being opened
		return ""
	case going.Open == 0:
		return "its photos have ended"
	case !going.Alive && now.Sub(k.gone) >= canaryGone:
		return "its worker takes no photos any more"
	}
	return ""
}

// keepTrials runs until ctx ends. Without a manager a trial ends when its time is over.
func (s *Service) keepTrials(ctx context.Context) error {
	tick := time.NewTicker(s.cfg.Reading.CountInterval)
	defer tick.Stop()
	var k trialKeeper
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		s.keepTrial(ctx, &k)
	}
}

func (s *Service) keepTrial(ctx context.Context, k *trialKeeper) {
	trial, trialRead := s.board.trial.last()
	workers, workersRead := s.board.workers.last()
	if !trial.Lasts(time.Now()) || trialRead.Stale || workersRead.Stale || !workersRead.Known() {
		return
	}
	going, err := s.howItGoes(ctx, trial, takesPhotos(workers, trial.Worker))
	if err == nil {
		if why := k.over(time.Now(), trial, going); why != "" {
			err = s.closeTrial(ctx, trial, why)
		}
	}
	if err != nil && ctx.Err() == nil {
		s.tel.Log.WarnContext(ctx, "trial not looked after", "worker_id", trial.Worker, "err", err)
	}
}

// closeTrial ends the trial, and notes why for who wonders.
func (s *Service) closeTrial(ctx context.Context, trial jobqueue.Trial, why string) error {
	ended, err := s.queue.EndTrial(ctx, trial.BegunAt)
	if err != nil || !ended {
		return err
	}
	s.tel.Log.InfoContext(ctx, "trial ended", "worker_id", trial.Worker, "because", why)
	return s.record(ctx, jobstore.Audit{
		Actor: "manager", Action: "jobs.dead.trial.ended", Subject: trial.Worker,
		Detail: map[string]string{"via": "itself", "outcome": "done", "reason": why},
	})
}
