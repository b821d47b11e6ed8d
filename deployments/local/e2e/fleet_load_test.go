package e2e

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"maskfleet/deployments/local/stack"
	"maskfleet/pkg/job"
)

// growing is a policy for instances of a quarter of a core and one slot.
const growing = `{"format":1,"min":1,"max":4,"tick_seconds":0.5,
	"target_wait":{"target_seconds":20,"boot_seconds":8,"service_seconds":0.5}}`

// TestFleetFollowsTheLoad: five times the load make the fleet grow, what waits is worked
// off soon, and afterwards the fleet is as small as before. No photo is lost or charged.
func TestFleetFollowsTheLoad(t *testing.T) {
	t.Parallel()
	e := startEnv(t, fleetOptions(stack.Fleet{Min: 1, Max: 4, Type: "local.quarter", Policy: growing},
		setting{"inference-worker", "SLOTS", "1"},
		setting{"inference-worker", "ITEM_TIMEOUT", "20s"}))
	e.awaitFleet(t, 1)
	photo := faultyPhoto(t, "slow=400ms")
	photos := e.stream(t, 10, time.Second, photo)
	before := e.awaitFleet(t, 1)
	photos = append(photos, e.stream(t, 125, 200*time.Millisecond, photo)...)
	ended := time.Now()

	most, grown := len(before), ended
	eventually(t, "what waits to be worked off", func() error {
		depth, err := e.queue.Depth(t.Context())
		if err != nil {
			return err
		}
		if served, _, err := e.InService(t.Context()); err == nil && len(served) > most {
			most, grown = len(served), time.Now()
		}
		if d := depth[job.LaneInteractive]; d.Total() > 0 {
			return fmt.Errorf("%+v", d)
		}
		return nil
	})
	if most < 2 {
		t.Errorf("the fleet did not grow")
	}
	t.Logf("what waited was worked off %s after the last boot", time.Since(grown).Round(time.Second))
	e.awaitFleet(t, 1)
	t.Logf("%d instances at most, back at one %s after the load", most, time.Since(ended).Round(time.Second))
	e.succeedUncharged(t, photos)
	e.settled(t)
}

// stream sends n photos one every period, however long each takes to be accepted.
func (e *env) stream(t *testing.T, n int, every time.Duration, photo []byte) []job.ID {
	t.Helper()
	ids := make([]job.ID, n)
	tick := time.NewTicker(every) // the load is what is tested: its pace is no wait
	defer tick.Stop()
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			a, err := e.post(t.Context(), photo)
			if err != nil || a.status/100 != 2 {
				t.Errorf("photo %d not accepted: %+v, %v", i, a, err)
			}
			ids[i] = a.id
		})
		<-tick.C
	}
	all.Wait()
	return slices.DeleteFunc(ids, func(id job.ID) bool { return id == job.ID{} })
}
