package manager

import (
	"math"
	"time"

	"maskfleet/pkg/jobqueue"
	"maskfleet/pkg/jobstore"
	"maskfleet/pkg/webui"
)

// fleetStep is between two points of the fleet's charts.
const fleetStep = 30 * time.Second

// fleetCharts are how many instances there were and how many photos waited, with what
// was decided across both. A point is what was so at its time: what was last told since
// the point before. So nothing stands before what caused it.
func fleetCharts(readings []jobqueue.FleetReading, decisions []jobstore.ScalingDecision, now time.Time) (instances, photos webui.Chart) {
	from := now.UTC().Truncate(fleetStep).Add(-chartSpan)
	var times []time.Time
	for i := range int(chartSpan/fleetStep) + 1 {
		times = append(times, from.Add(time.Duration(i)*fleetStep))
	}
	if n := len(readings); n > 0 {
		if newest := readings[n-1].At.UTC().Truncate(time.Second); newest.After(times[len(times)-1]) && !newest.After(now) { // and how it is now
			times = append(times, newest)
		}
	}
	n := len(times)
	ready, wanted, starting, draining := nothing(n), nothing(n), nothing(n), nothing(n)
	waiting, inWork := nothing(n), nothing(n)
	for _, r := range readings {
		i := int(math.Ceil(float64(r.At.Sub(from)) / float64(fleetStep)))
		if i < 0 || r.At.After(now.Add(fleetStep)) {
			continue
		}
		i = min(i, n-1)
		ready[i], wanted[i] = float64(r.Ready), float64(r.Target)
		waiting[i], inWork[i] = float64(r.Waiting), float64(r.InFlight)
		// What comes and goes between two points is seen, too.
		starting[i], draining[i] = most(starting[i], r.Starting), most(draining[i], r.Draining)
	}
	chart := webui.Chart{From: from, To: times[n-1], Times: times, Marks: marksOf(decisions, from), Marked: "Decision"}
	instances, photos = chart, chart
	instances.ID, instances.Title = "instances", "Instances"
	instances.Series = []webui.Series{
		{Name: "Ready", Step: true, Values: ready}, {Name: "Wanted", Step: true, Values: wanted},
		{Name: "Starting", Step: true, Values: starting}, {Name: "Draining", Step: true, Values: draining},
	}
	photos.ID, photos.Title = "photos", "Photos"
	photos.Series = []webui.Series{{Name: "Waiting", Values: waiting}, {Name: "In work", Values: inWork}}
	return instances, photos
}

// most is the larger of a value, which may not be known, and a number.
func most(value float64, n int) float64 {
	if math.IsNaN(value) {
		return float64(n)
	}
	return max(value, float64(n))
}

// marksOf are the decisions that wanted another size, the oldest first.
func marksOf(decisions []jobstore.ScalingDecision, from time.Time) []webui.Mark {
	var marks []webui.Mark
	for i := len(decisions) - 1; i >= 0; i-- {
		d := decisions[i]
		if d.BegunAt.Before(from) || d.Target == d.Size {
			continue
		}
		row := decisionRow(d)
		marks = append(marks, webui.Mark{At: d.BegunAt.UTC(), Up: d.Target > d.Size, Words: row.Words() + ": " + d.Reason})
	}
	return marks
}

// workerCharts are an instance's CPU and rates, minute by minute.
func workerCharts(trend machineTrend, now time.Time) (cpu, rates webui.Chart) {
	times := chartTimes(now)
	or := func(values []float64) []float64 {
		if len(values) != len(times) {
			return nothing(len(times))
		}
		return values
	}
	chart := webui.Chart{From: times[0], To: times[len(times)-1], Times: times}
	cpu, rates = chart, chart
	cpu.ID, cpu.Title = "cpu", "CPU"
	cpu.Series = []webui.Series{{Name: "CPU", Unit: "%", Values: or(trend.cpu)}}
	rates.ID, rates.Title = "rates", "Requests and photos a minute"
	rates.Series = []webui.Series{
		{Name: "HTTP requests", Unit: "a minute", Values: or(trend.requests)}, {Name: "Photos", Unit: "a minute", Values: or(trend.jobs)},
	}
	return cpu, rates
}

// sparkOf are whole numbers for a small chart, in which a minute without readings is 0.
func sparkOf(values []float64) []int {
	whole := make([]int, len(values))
	for i, v := range values {
		if !math.IsNaN(v) {
			whole[i] = int(math.Round(v))
		}
	}
	return whole
}
