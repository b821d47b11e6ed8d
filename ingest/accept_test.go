package ingest

import (
	"testing"

	"maskfleet/pkg/job"
	"maskfleet/pkg/testenv"
)

// TestLostAnswerOfTheCommit: MySQL commits the row and its answer does not arrive. A
// door that can ask again must not send the photo away.
func TestLostAnswerOfTheCommit(t *testing.T) {
	t.Parallel()
	st := sharedStores(t)
	wire := testenv.NewWire(t, st.mysql)
	st.mysql = wire.Config()
	d := openDoor(t, st, nil)
	data := photo(t)

	wire.LoseAnswer("INSERT INTO photos", nil)
	accepted := detectionOf(t, d.post(t, d.ann, data, nil), 202)
	if n := d.photosStored(t); n != 1 {
		t.Errorf("%d photos are stored, want 1", n)
	}
	eventually(t, "the photo is handed over", func() bool {
		_, live, err := d.queue.Live(t.Context(), job.LaneInteractive, accepted.ID)
		return err == nil && live
	})

	// Nobody can ask: the sender is told to try again, and the row is looked after.
	wire.LoseAnswer("INSERT INTO photos", wire.Cut)
	a := promptly(t, func() answer { return d.post(t, d.ann, data, nil) })
	d.refuses(t, a, 503, "")
	if a.header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	wire.Mend()
	eventually(t, "the publisher hands over what stands", func() bool {
		depth, err := d.queue.Depth(t.Context())
		return err == nil && depth[job.LaneInteractive].Pending == 2
	})
}
