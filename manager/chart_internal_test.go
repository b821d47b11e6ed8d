package manager

import (
	"fmt"
	"math"
	"testing"
	"time"

	"maskfleet/pkg/jobqueue"
	"maskfleet/pkg/jobstore"
	"maskfleet/pkg/webui"
)

// TestHistoryReadsEachReadingOnce: looks overlap, processes are started anew, and what
// is old goes.
func TestHistoryReadsEachReadingOnce(t *testing.T) {
	t.Parallel()
	h := newHistory(nil)
	now := time.Date(2026, time.March, 1, 12, 30, 30, 0, time.UTC)
	heard := func(ago time.Duration) jobqueue.Heard { return jobqueue.Heard{At: now.Add(-ago), Age: ago} }
	worker := func(began, ago time.Duration, cpu float64, jobs int64) jobqueue.WorkerReading {
		return jobqueue.WorkerReading{Worker: "w", Instance: "i-1", StartedAt: now.Add(-began), CPU: cpu, Jobs: jobs, BusySeconds: float64(jobs) / 4, Heard: heard(ago)}
	}
	all := []jobqueue.WorkerReading{
		worker(time.Hour, 40*time.Minute, 0.9, 1), // before the half hour
		worker(time.Hour, 90*time.Second, 0.2, 100), worker(time.Hour, 80*time.Second, 0.4, 110),
		worker(time.Hour, 25*time.Second, 0.5, 130), worker(20*time.Second, 15*time.Second, 0.7, 5), // started anew
	}
	h.take(nil, all, nil)
	h.take(nil, all, nil)
	h.forget(now.Add(-chartSpan - time.Minute))
	trend := h.trends(now).machines["i-1"]
	last := chartMinutes - 1
	if got := trend.cpu[last-1]; math.Abs(got-30) > 0.01 { // 12:29: at -90 s and -80 s
		t.Errorf("CPU of the minute before is %v, want 30", got)
	}
	// From the reading 40 minutes ago to that of 90 seconds ago came 99, then 10 in 10 s.
	if got, want := trend.jobs[last-1], 109/(40*60.0-90+10)*60; math.Abs(got-want) > 0.01 {
		t.Errorf("photos of the minute before are %v, want %v", got, want)
	}
	if got, want := trend.jobs[last], (20.0+5)/(55+10)*60; math.Abs(got-want) > 0.01 {
		t.Errorf("photos of this minute are %v, want %v", got, want)
	}
	// 99, 10, 20 and 5 photos, each a quarter of a second.
	if took, unfinished := trend.photo.mean(); took != 250*time.Millisecond || unfinished || trend.photo.photos != 134 {
		t.Errorf("a photo takes %v (%v photos), want 250 ms (134)", took, trend.photo.photos)
	}
	if !math.IsNaN(trend.cpu[last-5]) || !math.IsNaN(trend.requests[last]) {
		t.Errorf("minutes without readings: %v, %v", trend.cpu[last-5], trend.requests[last])
	}
	h.forget(now.Add(time.Hour))
	if len(h.machines)+len(h.workers) != 0 {
		t.Error("what is old is kept")
	}
}

// TestFleetIsSorted: the slowest first, what is not known last, and pages that follow.
func TestFleetIsSorted(t *testing.T) {
	t.Parallel()
	var rows []webui.InstanceRow
	for i := range fleetPageSize + 20 {
		r := webui.InstanceRow{ID: fmt.Sprintf("i-%03d", i), Role: fleetReady}
		if i%10 != 0 {
			r.PhotoTime = time.Duration(i%7+1) * time.Second
		}
		rows = append(rows, r)
	}
	page, next := fleetPageOf(rows, trends{}, webui.FleetQuery{Sort: "time"})
	if len(page) != fleetPageSize || page[0].PhotoTime != 7*time.Second || next != "/fleet?skip=100&sort=time#instances" {
		t.Fatalf("%d rows, the first %+v, then %q", len(page), page[0], next)
	}
	rest, end := fleetPageOf(rows, trends{}, webui.FleetQuery{Sort: "time", Skip: fleetPageSize})
	if len(rest) != 20 || rest[19].PhotoTime != 0 || end != "" {
		t.Errorf("%d rows more, the last %+v, then %q", len(rest), rest[len(rest)-1], end)
	}
	page, _ = fleetPageOf(rows, trends{}, webui.FleetQuery{Sort: "-time"})
	if page[0].PhotoTime != time.Second || page[0].ID != "i-007" {
		t.Errorf("the quickest is %+v", page[0])
	}
	if usual := usualPhotoTime(rows); usual != 4*time.Second || !rows[6].Slow(usual) || rows[3].Slow(usual) {
		t.Errorf("usual is %v, and 7 s is slow: %v", usual, rows[6].Slow(usual))
	}
	if got := slowest(rows).Words(); got != "slowest: i-006, 7.0\u202fs a photo" {
		t.Errorf("it says %q", got)
	}
	_, next = fleetPageOf(rows, trends{}, webui.FleetQuery{})
	if next != "/fleet?after=i-099#instances" {
		t.Errorf("by their ids, then %q", next)
	}
}

// TestNoEffectBeforeItsCause: an instance that leaves is missing after the decision, and
// its short drain is seen.
func TestNoEffectBeforeItsCause(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, time.March, 1, 12, 40, 0, 0, time.UTC)
	decided := now.Add(-5*time.Minute + 20*time.Second)
	var readings []jobqueue.FleetReading
	for at := now.Add(-10 * time.Minute); !at.After(now); at = at.Add(5 * time.Second) {
		r := jobqueue.FleetReading{Ready: 4, Target: 4, Heard: jobqueue.Heard{At: at}}
		if at.After(decided) {
			r.Ready, r.Target = 1, 1
		}
		if since := at.Sub(decided); since > 0 && since < 6*time.Second {
			r.Draining = 3
		}
		readings = append(readings, r)
	}
	chart, _ := fleetCharts(readings, []jobstore.ScalingDecision{{BegunAt: decided, Size: 4, Target: 1}}, now)
	drained := 0.0
	for i, at := range chart.Times {
		for _, line := range chart.Series[:2] {
			if line.Values[i] < 4 && at.Before(decided) {
				t.Errorf("%s is %g at %v, before the decision of %v", line.Name, line.Values[i], at, decided)
			}
		}
		if v := chart.Series[3].Values[i]; v > drained { // most are not known
			drained = v
		}
	}
	if drained != 3 {
		t.Errorf("%g seem to have drained", drained)
	}
}

func TestFleetCharts(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, time.March, 1, 12, 30, 10, 0, time.UTC)
	reading := func(ago time.Duration, ready, waiting int) jobqueue.FleetReading {
		return jobqueue.FleetReading{Ready: ready, Target: 4, Waiting: waiting, Heard: jobqueue.Heard{At: now.Add(-ago)}}
	}
	decision := func(ago time.Duration, size, target int) jobstore.ScalingDecision {
		return jobstore.ScalingDecision{BegunAt: now.Add(-ago), Size: size, Target: target, Reason: "because"}
	}
	instances, photos := fleetCharts(
		[]jobqueue.FleetReading{reading(40*time.Minute, 9, 9), reading(70*time.Second, 2, 7), reading(61*time.Second, 3, 8), reading(0, 4, 0)},
		[]jobstore.ScalingDecision{decision(time.Minute, 2, 4), decision(2*time.Minute, 2, 2), decision(time.Hour, 1, 2)}, now)
	n := len(instances.Times)
	if !instances.From.Equal(photos.From) || !instances.To.Equal(photos.To) || !instances.To.Equal(now) || instances.To.Sub(instances.From) < chartSpan {
		t.Errorf("axes: %v to %v, %v to %v", instances.From, instances.To, photos.From, photos.To)
	}
	ready, waiting := instances.Series[0].Values, photos.Series[0].Values
	if ready[n-1] != 4 || ready[n-3] != 3 || waiting[n-3] != 8 || !math.IsNaN(ready[n-2]) || !math.IsNaN(ready[0]) {
		t.Errorf("ready %v, waiting %v", ready, waiting)
	}
	if len(instances.Marks) != 1 || !instances.Marks[0].Up || instances.Marks[0].Words != "Grow from 2 to 4 instances: because" {
		t.Errorf("marks: %+v", instances.Marks)
	}
	rows := instances.Rows()
	if len(rows) != n || !rows[0].At.Equal(instances.To) || rows[0].Cells[0].Raw != "4" || rows[1].Cells[0].Text != "\u2013" {
		t.Errorf("rows: %+v", rows[:3])
	}
	marked := 0
	for _, r := range rows {
		marked += len(r.Marks)
	}
	if marked != 1 {
		t.Errorf("%d marks in the table", marked)
	}
}

func TestSecretsOfUserDataAreHidden(t *testing.T) {
	t.Parallel()
	text := "#!/bin/sh\nexport MYSQL_PASSWORD=hush\nNATS_URL=nats://worker:hush@10.0.0.9:4222\n\"S3_SECRET_KEY\": \"hush\"\napi-token: hush\nMYSQL_DSN=worker:hush@tcp(db)/maskfleet\nSLOTS=2\n"
	want := "#!/bin/sh\nexport MYSQL_PASSWORD=•••\nNATS_URL=nats://worker:•••@10.0.0.9:4222\n\"S3_SECRET_KEY\": •••\napi-token: •••\nMYSQL_DSN=•••\nSLOTS=2\n"
	if got := withoutSecrets(text); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestRevisionOfACutAnswer(t *testing.T) {
	t.Parallel()
	for answer, want := range map[string]uint64{
		`{"was":3,"override":{"revision":7},"revision":88}`: 88,
		`{"revision":9,"policy":{"format":1,"sch`:           9,
		`{"policy":{"format":1,"sch`:                        0,
		``:                                                  0,
		`{"note":"revision","other":5}`:                     0,
	} {
		if got := revisionIn(answer); got != want {
			t.Errorf("%s: got %d, want %d", answer, got, want)
		}
	}
}
