package manager

import (
	"math"
	"time"

	"maskfleet/pkg/webui"
)

// replayCharts are the instances and the photos that waited, by what happened and by each
// policy, on one axis of time.
func replayCharts(a replayAnswer) (instances, waiting webui.Chart) {
	all := []struct {
		name string
		played
	}{{"Happened", a.Happened}, {"In force", a.InForce}}
	if a.Candidate != nil {
		all = append(all, struct {
			name string
			played
		}{"Candidate", *a.Candidate})
	}
	step := time.Duration(a.Happened.Course.StepSeconds) * time.Second
	chart := webui.Chart{From: a.From, To: a.To}
	for n := range a.Happened.Course.Instances {
		chart.Times = append(chart.Times, a.From.Add(time.Duration(n)*step))
	}
	instances, waiting = chart, chart
	instances.ID, instances.Title = "replay-instances", "Instances"
	waiting.ID, waiting.Title = "replay-waiting", "Photos waiting"
	for _, one := range all {
		instances.Series = append(instances.Series, webui.Series{Name: one.name, Step: true, Values: atTimes(one.Course.Instances, len(chart.Times))})
		waiting.Series = append(waiting.Series, webui.Series{Name: one.name, Values: atTimes(one.Course.Waiting, len(chart.Times))})
	}
	return instances, waiting
}

// atTimes gives as many values as there are times; those that are missing are not known.
func atTimes(course []int, times int) []float64 {
	values := make([]float64, times)
	for i := range values {
		values[i] = math.NaN()
		if i < len(course) {
			values[i] = float64(course[i])
		}
	}
	return values
}
