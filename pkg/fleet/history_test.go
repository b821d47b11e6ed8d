package fleet_test

import (
	"testing"
	"time"

	"maskfleet/deployments/local/aws/awstest"
	"maskfleet/pkg/fleet"
)

// TestHistoryOfAnInstance: what was put comes back by the minute or by five, with
// nothing of other instances.
func TestHistoryOfAnInstance(t *testing.T) {
	t.Parallel()
	w := newWorld(t, awstest.Options{})
	f := w.open(t)
	then := time.Now().UTC().Add(-100 * time.Minute).Truncate(5 * time.Minute)
	err := f.Put(t.Context(), []fleet.Measure{
		{Name: fleet.MeasureRequests, Instance: "i-1", At: then.Add(10 * time.Second), Value: 30},
		{Name: fleet.MeasureRequests, Instance: "i-1", At: then.Add(70 * time.Second), Value: 12},
		{Name: fleet.MeasureJobs, Instance: "i-1", At: then.Add(70 * time.Second), Value: 7},
		{Name: fleet.MeasureJobs, Instance: "i-2", At: then.Add(70 * time.Second), Value: 99},
	})
	if err != nil {
		t.Fatal(err)
	}
	period, points, err := f.History(t.Context(), "i-1", 3*time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	if period != time.Minute || len(points) != 2 || !points[0].At.Equal(then) || *points[0].Requests != 30 || points[0].Jobs != nil || *points[1].Jobs != 7 {
		t.Errorf("by %v: %+v", period, points)
	}
	period, points, err = f.History(t.Context(), "i-1", fleet.LongestHistory)
	if err != nil {
		t.Fatal(err)
	}
	if period != 5*time.Minute || len(points) != 1 || *points[0].Requests != 42 || *points[0].Jobs != 7 || points[0].CPU != nil {
		t.Errorf("by %v: %+v", period, points)
	}
}
