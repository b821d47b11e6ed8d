package ingest

import (
	"context"
	"testing"
	"time"

	"maskfleet/pkg/job"
)

// TestPublisherLeavesAnOlderMessageToItsWorker: the photo of a message that is not yet
// taken away stays due. A round that is full of such photos must end all the same.
func TestPublisherLeavesAnOlderMessageToItsWorker(t *testing.T) {
	t.Parallel()
	d := openDoor(t, sharedStores(t), func(c *Config) {
		c.Publisher = PublisherConfig{Interval: time.Hour, UnconfirmedFor: time.Microsecond, UnseenFor: time.Hour, BatchSize: 1}
	})
	id := detectionOf(t, d.post(t, d.ann, photo(t), nil), 202).ID
	claimed, refusal, _, err := d.store.Claim(t.Context(), id, 1, "w-test", time.Minute)
	if err != nil || refusal != job.RefusedNone {
		t.Fatalf("claiming: %v %v", refusal, err)
	}
	changed, err := d.store.Defer(t.Context(), id, claimed.Row.Fence, job.Fail(job.CodeInternal, nil), 0)
	if err != nil || !changed {
		t.Fatalf("deferring: %t %v", changed, err)
	}

	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := d.publisher.publishDue(ctx); err != nil {
		t.Errorf("the round did not end by itself: %v", err)
	}
	if got := d.publicationOf(t, id); got != 2 {
		t.Errorf("got publication %d, want 2: the broker still holds the first", got)
	}
}
