package ingest

import (
	"context"
	"testing"
	"time"

	"maskfleet/pkg/job"
)

// TestPublisherPassesPhotosWithAnOlderMessage: the photo of a message that is not yet
// taken away stays due. Any number of such photos must neither keep the round from
// its end nor the others from their turn.
func TestPublisherPassesPhotosWithAnOlderMessage(t *testing.T) {
	t.Parallel()
	d := openDoor(t, sharedStores(t), func(c *Config) {
		c.Publisher = PublisherConfig{Interval: time.Hour, UnconfirmedFor: time.Microsecond, UnseenFor: time.Hour, BatchSize: 1}
	})
	var blocked []job.ID
	for range 3 {
		id := detectionOf(t, d.post(t, d.ann, photo(t), nil), 202).ID
		claimed, refusal, _, err := d.store.Claim(t.Context(), id, 1, "w-test", time.Minute)
		if err != nil || refusal != job.RefusedNone {
			t.Fatalf("claiming: %v %v", refusal, err)
		}
		changed, err := d.store.Defer(t.Context(), id, claimed.Row.Fence, job.Fail(job.CodeInternal, nil), 0)
		if err != nil || !changed {
			t.Fatalf("deferring: %t %v", changed, err)
		}
		blocked = append(blocked, id)
	}
	waits, err := d.store.Find(t.Context(), blocked[0])
	if err != nil {
		t.Fatal(err)
	}
	if waits.ID, err = job.NewID(); err != nil {
		t.Fatal(err)
	}
	if err := d.store.Accept(t.Context(), waits); err != nil { // by a door that died before it published
		t.Fatal(err)
	}

	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := d.publisher.publishDue(ctx); err != nil {
		t.Errorf("the round did not end by itself: %v", err)
	}
	for _, id := range blocked {
		if got := d.publicationOf(t, id); got != 2 {
			t.Errorf("got publication %d, want 2: the broker still holds the first", got)
		}
	}
	if publication, live, err := d.queue.Live(t.Context(), waits.Lane, waits.ID); err != nil || !live || publication != 2 {
		t.Errorf("the photo behind them: got publication %d, live is %t, %v; want it published", publication, live, err)
	}
}
