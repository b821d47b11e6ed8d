package scaler_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"maskfleet/pkg/job"
	"maskfleet/pkg/testenv"
)

type replayed struct {
	InstanceHours float64 `json:"instance_hours"`
	LateShare     float64 `json:"late_share"`
	Photos        int
	LongestWait   float64 `json:"longest_wait_seconds"`
	Launches      int
	Peak          int     `json:"peak_instances"`
	LateAfter     float64 `json:"late_after_seconds"`
}

type replayAnswer struct {
	From, To  time.Time
	Candidate *replayed
	InForce   replayed `json:"in_force"`
	Happened  replayed
	Says      string
}

// TestReplayByCommand: what came to this installation is played again by another
// policy, beside the one in force and what did happen.
func TestReplayByCommand(t *testing.T) {
	t.Parallel()
	w := newWorld(t, manual(1))
	w.scale(t)
	o := w.operator(t)
	o.untilFleet(1)
	o.isTold(http.StatusConflict, "replay", ``, "no photo was accepted")

	from, owner := time.Now(), testenv.Owner(t, w.store)
	const photos = 30
	for n := range photos {
		wait := time.Duration(n) * time.Second // 19 of 30 for more than ten
		w.serve(t, owner, wait, 100*time.Millisecond)
	}
	eventually(t, "the readings have them", func() bool {
		readings, err := w.queue.FleetReadings(t.Context(), time.Since(from))
		return err == nil && len(readings) > 1 && readings[len(readings)-1].Accepted == photos
	})
	var answer replayAnswer
	o.does("replay", `{"policy":`+manual(3)+`,"for":"10m"}`, &answer)
	c := answer.Candidate
	if c == nil || c.Photos != photos || c.Peak < 3 || !strings.HasPrefix(answer.Says, "would have cost ") || !answer.To.After(answer.From) {
		t.Errorf("the candidate: %+v", answer)
	}
	if f := answer.InForce; f.Photos != photos || f.Peak != 1 || f.LateAfter != 10 {
		t.Errorf("in force: %+v", f)
	}
	if h := answer.Happened; h.Photos != photos || h.LongestWait != 29 || h.LateShare < 0.63 || h.LateShare > 0.64 || h.InstanceHours <= 0 || h.Peak != 1 {
		t.Errorf("happened: %+v", h)
	}
	answer.Candidate = nil
	if o.does("replay", ``, &answer); answer.Candidate != nil {
		t.Errorf("without a candidate: %+v", answer)
	}
	o.isTold(http.StatusBadRequest, "replay", `{"policy":{"format":1,"min":9,"max":3}}`, "min 9 is above max 3")
	o.isTold(http.StatusBadRequest, "replay", `{"for":"25h"}`, "24h")
	o.isTold(http.StatusBadRequest, "replay", `{"for":"-1h"}`, "24h")
}

// serve has a photo accepted, and a worker end it as if it had waited so long.
func (w *world) serve(t *testing.T, owner job.ID, waited, took time.Duration) {
	t.Helper()
	id, err := job.NewID()
	if err != nil {
		t.Fatal(err)
	}
	p := job.Photo{ID: id, OwnerID: owner, Lane: job.LaneInteractive, Source: job.SourceUpload, CreatedAt: time.Now().UTC(), Row: job.Accepted()}
	if err := w.store.Accept(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	claimed, _, _, err := w.store.Claim(t.Context(), id, p.Row.Publication, "w-1", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	changed, err := w.store.Finish(t.Context(), id, claimed.Row.Fence, job.Result{Timing: job.Timing{Queued: waited, Total: waited + took}})
	if err != nil || !changed {
		t.Fatalf("finishing: %t, %v", changed, err)
	}
}
