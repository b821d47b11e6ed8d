package scaler

import (
	"context"
	"sync"
	"time"

	"maskfleet/pkg/fleet"
)

// measureTimeout bounds what is told to CloudWatch, which nobody waits for.
const measureTimeout = 20 * time.Second

// tallies are up to where work was told to CloudWatch.
type tallies struct {
	sync.Mutex // held while it is told

	jobs, requests tally // by worker and by instance
}

// measure tells CloudWatch, for whoever watches from there, what was done in the last
// minutes and what waits.
func (l *leader) measure(ctx context.Context, now time.Time) {
	if l.measured.IsZero() {
		l.measured = now
	}
	if now.Sub(l.measured) < l.cfg.MeasureInterval {
		return
	}
	since := l.measured
	l.measured = now
	l.mu.Lock()
	c := l.seen
	l.mu.Unlock()
	l.hands.running.Go(func() {
		if !l.counted.TryLock() { // the last one still waits for CloudWatch
			return
		}
		defer l.counted.Unlock()
		ctx, cancel := context.WithTimeout(ctx, measureTimeout)
		defer cancel()
		measures, err := l.measures(ctx, now.UTC(), since, c)
		if err == nil {
			err = l.doors.Fleet.Put(ctx, measures)
		}
		if err != nil && ctx.Err() == nil {
			l.tel.Log.WarnContext(ctx, "cloudwatch not told", "err", err)
		}
	})
}

// measures gives what happened after since; the caller holds counted.
func (l *leader) measures(ctx context.Context, at, since time.Time, c census) ([]fleet.Measure, error) {
	const overlap = 10 * time.Second // the broker may have got a reading that we were not given
	window := at.Sub(since) + overlap
	workers, err := l.doors.Queue.WorkerReadings(ctx, "", window)
	if err != nil {
		return nil, err
	}
	doors, err := l.doors.Queue.DoorReadings(ctx, "", window)
	if err != nil {
		return nil, err
	}
	jobs, requests := map[string]float64{}, map[string]float64{}
	for _, r := range workers {
		jobs[r.Instance] += l.counted.jobs.rise(r.Worker, counter{r.StartedAt, r.At, float64(r.Jobs)}, since)
	}
	for _, r := range doors {
		requests[r.Instance] += l.counted.requests.rise(r.Instance, counter{r.StartedAt, r.At, float64(r.Requests)}, since)
	}
	l.counted.jobs.forget(since)
	l.counted.requests.forget(since)
	var all []fleet.Measure
	for _, m := range c.members {
		if m.Up() {
			all = append(all,
				fleet.Measure{Name: fleet.MeasureJobs, Instance: m.ID, At: at, Value: jobs[m.ID]},
				fleet.Measure{Name: fleet.MeasureRequests, Instance: m.ID, At: at, Value: requests[m.ID]})
		}
	}
	if b, read := l.senses.backlog.last(); !read.IsZero() {
		depth := float64(b.waiting + b.inFlight)
		all = append(all,
			fleet.Measure{Name: fleet.MeasureQueueDepth, At: at, Value: depth},
			fleet.Measure{Name: fleet.MeasureBacklogPerWorker, At: at, Value: depth / float64(max(1, c.count(ready)))})
	}
	return all, nil
}
