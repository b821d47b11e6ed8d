package scaler

import (
	"fmt"
	"testing"
	"time"

	"maskfleet/pkg/fleet"
	"maskfleet/pkg/jobqueue"
	"maskfleet/scaler/decide"
)

// BenchmarkTick is what a tick costs beside its reading and writing: the census, the
// decision, and the choice of whom to retire, with a million photos waiting.
func BenchmarkTick(b *testing.B) {
	for _, instances := range []int{8, 1000, 10_000} {
		b.Run(fmt.Sprintf("instances=%d", instances), func(b *testing.B) {
			var l fleet.Listing
			var workers []jobqueue.Worker
			for n := range instances {
				i := instance(fmt.Sprintf("i-%06d", n), fleet.StateRunning, fleet.HealthReady, fleet.TargetHealthy)
				i.Zone = string(rune('a' + n%3))
				l.Instances = append(l.Instances, i)
				workers = append(workers, jobqueue.Worker{ID: "w-" + i.ID, Instance: i.ID, Slots: 1, Busy: n % 2})
			}
			policy := decide.DefaultPolicy()
			policy.Max = instances
			var history decide.History
			known := func(v float64) decide.Reading { return decide.Reading{Value: v, Known: true} }
			b.ReportAllocs()
			for n := 0; b.Loop(); n++ {
				now := at().Add(time.Duration(n) * time.Second)
				c := takeCensus(l, workers, nil, unheard{})
				history.Advance(decide.Observation{
					At: now, Accepted: known(float64(n * 1000)), Finished: known(float64(n * 900)), Worked: known(float64(n * 108)),
					Waiting: known(1e6), InFlight: known(float64(instances)),
					Fleet: decide.Fleet{Known: true, Ready: c.count(ready), Reporting: c.reporting},
				}, policy)
				victims(c, instances/2, now, time.Minute)
			}
		})
	}
}
