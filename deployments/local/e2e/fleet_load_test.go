package e2e

import (
	"fmt"
	"os"
	"runtime"
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

// The goals of a load that jumps, on a machine that has the time.
const (
	queueGoneWithin = time.Minute     // of the last boot under the load
	leastWithin     = 3 * time.Minute // of the load's end
)

// TestFleetFollowsTheLoad: five times the load make the fleet grow, what waits is worked
// off within a minute of the last boot, and the fleet is as small as before within three
// minutes of the end. No photo is lost or charged.
func TestFleetFollowsTheLoad(t *testing.T) {
	t.Parallel()
	settings := []setting{{"inference-worker", "SLOTS", "1"}, {"inference-worker", "ITEM_TIMEOUT", "20s"}}
	for _, part := range []string{"setup", "ingest", "inference-worker", "manager"} {
		// As usual: nobody dies here, and a tenth of it is charged to photos where a
		// machine is so busy that a worker stands still for as long.
		settings = append(settings, setting{part, "JOBS_ACK_WAIT", "30s"})
	}
	e := startEnv(t, fleetOptions(stack.Fleet{Min: 1, Max: 4, Type: "local.quarter", Policy: growing}, settings...))
	e.awaitFleet(t, 1)
	photo := faultyPhoto(t, "slow=400ms")
	photos := e.stream(t, 10, time.Second, photo)
	e.awaitFleet(t, 1)
	seen := e.watch(t, 1)
	const jump = 125
	photos = append(photos, e.stream(t, jump, 200*time.Millisecond, photo)...)
	ended := time.Now()

	eventually(t, "what waits to be worked off", func() error {
		depth, err := e.queue.Depth(t.Context())
		if d := depth[job.LaneInteractive]; err == nil && d.Total() > 0 {
			err = fmt.Errorf("%+v", d)
		}
		return err
	})
	grew := seen()
	if grew.most < 2 || grew.goneAt.IsZero() {
		t.Fatalf("the fleet did not grow, or what waited stayed: %+v", grew)
	}
	missed := t.Errorf
	if overloaded(t) {
		missed = t.Logf // what is late is this machine
	}
	if took := grew.goneAt.Sub(grew.bootedAt); took > queueGoneWithin {
		missed("what waited was worked off %s after the last boot, want %s at most", took, queueGoneWithin)
	}
	e.awaitFleet(t, 1)
	if took := time.Since(ended); took > leastWithin {
		missed("the fleet was back at one %s after the load, want %s at most", took, leastWithin)
	}
	t.Logf("up to %d instances; %d photos waited at most; nobody waited %s after the last boot, %s after the load's end the fleet was back at one",
		grew.most, grew.waited, grew.goneAt.Sub(grew.bootedAt).Round(100*time.Millisecond), time.Since(ended).Round(time.Second))
	e.succeedUncharged(t, photos)
	if len(photos) != 10+jump {
		t.Errorf("%d photos were accepted, want all", len(photos))
	}
	e.settled(t)
}

// overloaded says whether this machine has had several times as much to do as it can in
// the last minute.
func overloaded(t *testing.T) bool {
	t.Helper()
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		t.Fatal(err)
	}
	var load float64
	if _, err := fmt.Sscan(string(text), &load); err != nil {
		t.Fatal(err)
	}
	const several = 4
	return load > several*float64(runtime.NumCPU())
}

// growth is what became of a fleet under load.
type growth struct {
	most     int       // instances in service at a time
	bootedAt time.Time // when the last of them came into service
	waited   int       // photos at most
	goneAt   time.Time // when nobody waited for the first time since then
}

// watch looks at fleet and queue until seen is called.
func (e *env) watch(t *testing.T, size int) (seen func() growth) {
	t.Helper()
	g, stop, done := growth{most: size}, make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(100 * time.Millisecond)
		defer tick.Stop()
		for {
			served, _, servedErr := e.InService(t.Context())
			depth, depthErr := e.queue.Depth(t.Context())
			if servedErr == nil && len(served) > g.most {
				g.most, g.bootedAt, g.goneAt = len(served), time.Now(), time.Time{}
			}
			if depthErr == nil {
				waiting := depth[job.LaneInteractive].Pending
				g.waited = max(g.waited, waiting)
				if g.most > size && g.goneAt.IsZero() && waiting == 0 {
					g.goneAt = time.Now()
				}
			}
			select {
			case <-stop:
				return
			case <-tick.C:
			}
		}
	}()
	return func() growth {
		close(stop)
		<-done
		return g
	}
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
			a, err := e.insist(t.Context(), photo)
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
