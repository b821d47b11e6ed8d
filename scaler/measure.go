package scaler

import (
	"context"
	"time"

	"maskfleet/pkg/fleet"
)

// measureTimeout bounds what is told to CloudWatch, which nobody waits for.
const measureTimeout = 20 * time.Second

// measure tells CloudWatch, for whoever watches from there, what was done in the last
// minutes and what waits.
func (l *leader) measure(ctx context.Context, now time.Time) {
	if l.measured.IsZero() {
		l.measured = now
	}
	if now.Sub(l.measured) < l.cfg.MeasureInterval {
		return
	}
	window := now.Sub(l.measured)
	l.measured = now
	l.mu.Lock()
	c := l.seen
	l.mu.Unlock()
	l.hands.running.Go(func() {
		ctx, cancel := context.WithTimeout(ctx, measureTimeout)
		defer cancel()
		measures, err := l.measures(ctx, now.UTC(), window, c)
		if err == nil {
			err = l.doors.Fleet.Put(ctx, measures)
		}
		if err != nil && ctx.Err() == nil {
			l.tel.Log.WarnContext(ctx, "cloudwatch not told", "err", err)
		}
	})
}

func (l *leader) measures(ctx context.Context, at time.Time, window time.Duration, c census) ([]fleet.Measure, error) {
	workers, err := l.doors.Queue.WorkerReadings(ctx, "", window)
	if err != nil {
		return nil, err
	}
	doors, err := l.doors.Queue.DoorReadings(ctx, "", window)
	if err != nil {
		return nil, err
	}
	jobs, requests := newRise(), newRise()
	for _, r := range workers {
		jobs.add(r.Instance, r.StartedAt, r.Jobs)
	}
	for _, r := range doors {
		requests.add(r.Instance, r.StartedAt, r.Requests)
	}
	var all []fleet.Measure
	for _, m := range c.members {
		if m.Up() {
			all = append(all,
				fleet.Measure{Name: fleet.MeasureJobs, Instance: m.ID, At: at, Value: float64(jobs.of(m.ID))},
				fleet.Measure{Name: fleet.MeasureRequests, Instance: m.ID, At: at, Value: float64(requests.of(m.ID))})
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

// rise is by how much each counter rose between its first reading and its last. A
// process that began anew counts from 0.
type rise struct {
	last  map[string]risen
	total map[string]int64
}

type risen struct {
	startedAt time.Time
	value     int64
}

func newRise() rise { return rise{map[string]risen{}, map[string]int64{}} }

func (r rise) add(id string, startedAt time.Time, value int64) {
	before, known := r.last[id]
	switch {
	case !known:
	case before.startedAt.Equal(startedAt):
		r.total[id] += max(0, value-before.value)
	default:
		r.total[id] += value
	}
	r.last[id] = risen{startedAt, value}
}

func (r rise) of(id string) int64 { return r.total[id] }
