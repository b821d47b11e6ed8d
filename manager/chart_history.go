package manager

import (
	"cmp"
	"context"
	"math"
	"time"

	"maskfleet/pkg/jobqueue"
)

const (
	chartSpan     = 30 * time.Minute
	chartMinutes  = int(chartSpan/time.Minute) + 1 // the one that is going on is the last
	historyMargin = 5 * time.Second                // readings that were told while the last look was on
	historyEvery  = 5 * time.Second                // that they are told
)

// history keeps the readings of the last half hour, so that each is read once, however
// many people look at charts. One goroutine uses it.
type history struct {
	queue    *jobqueue.Queue
	looked   time.Time // zero: never
	fleet    []jobqueue.FleetReading
	workers  map[string]jobqueue.WorkerReading // the newest of each
	doors    map[string]jobqueue.DoorReading
	machines map[string]map[int64]*machineMinute // by instance and the minute's Unix time
}

// machineMinute is what an instance did in a minute. Counters are told every few
// seconds, so a rate is what they grew by over the time between the readings.
type machineMinute struct {
	cpu      float64
	readings int
	jobs     growth
	busy     float64 // seconds of slots at work
	requests growth
}

// growth is what a counter grew by, and in what time.
type growth struct{ by, seconds float64 }

func (g *growth) add(by int64, over time.Duration) {
	g.by += float64(by)
	g.seconds += over.Seconds()
}

// aMinute is the growth for a whole minute; NaN if nothing is known.
func (g growth) aMinute() float64 {
	if g.seconds <= 0 {
		return math.NaN()
	}
	return g.by / g.seconds * time.Minute.Seconds()
}

// trends are the last half hour, for anybody to read.
type trends struct {
	fleet    []jobqueue.FleetReading // the oldest first
	machines map[string]machineTrend
}

// machineTrend is an instance's half hour, a value for each minute, the one that is
// going on last. NaN is a minute without readings.
type machineTrend struct {
	cpu, jobs, requests []float64
	photo               photoTime
	workers             []string // that told of it
}

// photoOver is how far back it is looked for the time that a photo takes: enough photos
// for a mean, and not so many that a machine that turns slow goes unseen.
const photoOver = 5 // minutes

// photoTime is what a photo takes on an instance, from when a slot got it until it was
// done with it, as the mean of the last minutes.
type photoTime struct{ busy, photos float64 }

// mean is that time. If slots were at work and finished nothing it is what they have
// taken so far, and unfinished; 0 if they were not at work.
func (p photoTime) mean() (took time.Duration, unfinished bool) {
	if p.photos <= 0 {
		return time.Duration(p.busy * float64(time.Second)), p.busy > 0
	}
	return time.Duration(p.busy / p.photos * float64(time.Second)), false
}

func newHistory(queue *jobqueue.Queue) *history {
	return &history{
		queue: queue, workers: map[string]jobqueue.WorkerReading{}, doors: map[string]jobqueue.DoorReading{},
		machines: map[string]map[int64]*machineMinute{},
	}
}

// read takes what was told since the last look.
func (h *history) read(ctx context.Context) (trends, error) {
	now := time.Now()
	window := chartSpan + time.Minute
	if !h.looked.IsZero() {
		window = min(window, now.Sub(h.looked)+historyMargin)
	}
	fleet, err := h.queue.FleetReadings(ctx, window)
	if err != nil {
		return trends{}, err
	}
	workers, err := h.queue.WorkerReadings(ctx, "", window)
	if err != nil {
		return trends{}, err
	}
	doors, err := h.queue.DoorReadings(ctx, "", window)
	if err != nil {
		return trends{}, err
	}
	h.looked = now
	h.take(fleet, workers, doors)
	h.forget(now.Add(-chartSpan - time.Minute))
	return h.trends(now), nil
}

// take adds readings, leaving out those that it has already.
func (h *history) take(fleet []jobqueue.FleetReading, workers []jobqueue.WorkerReading, doors []jobqueue.DoorReading) {
	for _, r := range fleet {
		if n := len(h.fleet); n == 0 || r.At.After(h.fleet[n-1].At) {
			h.fleet = append(h.fleet, r)
		}
	}
	for _, r := range workers {
		last, known := h.workers[r.Worker]
		if known && !r.At.After(last.At) {
			continue
		}
		h.workers[r.Worker] = r
		m := h.minute(cmp.Or(r.Instance, r.Worker), r.At)
		m.cpu += r.CPU
		m.readings++
		if known {
			m.jobs.add(r.Jobs-since(last.StartedAt, r.StartedAt, last.Jobs), r.At.Sub(last.At))
			m.busy += max(0, r.BusySeconds-since(last.StartedAt, r.StartedAt, last.BusySeconds))
		}
	}
	for _, r := range doors {
		last, known := h.doors[r.Instance]
		if known && !r.At.After(last.At) {
			continue
		}
		h.doors[r.Instance] = r
		m := h.minute(r.Instance, r.At)
		if known {
			m.requests.add(r.Requests-since(last.StartedAt, r.StartedAt, last.Requests), r.At.Sub(last.At))
		}
	}
}

// since is what a counter stood at: 0 if its process has been started anew.
func since[N int64 | float64](before, now time.Time, count N) N {
	if !before.Equal(now) {
		return 0
	}
	return count
}

func (h *history) minute(instance string, at time.Time) *machineMinute {
	minutes := h.machines[instance]
	if minutes == nil {
		minutes = map[int64]*machineMinute{}
		h.machines[instance] = minutes
	}
	key := at.Truncate(time.Minute).Unix()
	if minutes[key] == nil {
		minutes[key] = &machineMinute{}
	}
	return minutes[key]
}

// forget drops what was told before, and who has told nothing since.
func (h *history) forget(before time.Time) {
	old := 0
	for old < len(h.fleet) && h.fleet[old].At.Before(before) {
		old++
	}
	h.fleet = h.fleet[old:]
	for id, r := range h.workers {
		if r.At.Before(before) {
			delete(h.workers, id)
		}
	}
	for id, r := range h.doors {
		if r.At.Before(before) {
			delete(h.doors, id)
		}
	}
	for id, minutes := range h.machines {
		for at := range minutes {
			if at < before.Unix() {
				delete(minutes, at)
			}
		}
		if len(minutes) == 0 {
			delete(h.machines, id)
		}
	}
}

func (h *history) trends(now time.Time) trends {
	t := trends{fleet: append([]jobqueue.FleetReading(nil), h.fleet...), machines: make(map[string]machineTrend, len(h.machines))}
	times := chartTimes(now)
	tellers := map[string][]string{}
	for id, r := range h.workers {
		instance := cmp.Or(r.Instance, id)
		tellers[instance] = append(tellers[instance], id)
	}
	for id, minutes := range h.machines {
		trend := machineTrend{cpu: nothing(chartMinutes), jobs: nothing(chartMinutes), requests: nothing(chartMinutes), workers: tellers[id]}
		for i, at := range times {
			m := minutes[at.Unix()]
			if m == nil {
				continue
			}
			if m.readings > 0 {
				trend.cpu[i] = 100 * m.cpu / float64(m.readings)
			}
			trend.jobs[i], trend.requests[i] = m.jobs.aMinute(), m.requests.aMinute()
			if i >= len(times)-photoOver {
				trend.photo.busy += m.busy
				trend.photo.photos += m.jobs.by
			}
		}
		t.machines[id] = trend
	}
	return t
}

// chartTimes are the minutes of a chart, the oldest first.
func chartTimes(now time.Time) []time.Time {
	times := make([]time.Time, chartMinutes)
	first := now.UTC().Truncate(time.Minute).Add(-chartSpan)
	for i := range times {
		times[i] = first.Add(time.Duration(i) * time.Minute)
	}
	return times
}

// nothing is a series of which no value is known.
func nothing(n int) []float64 {
	values := make([]float64, n)
	for i := range values {
		values[i] = math.NaN()
	}
	return values
}
