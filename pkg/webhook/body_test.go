package webhook

import (
	"testing"
	"time"

	"github.com/google/uuid"
)

func TestBodies(t *testing.T) {
	t.Parallel()
	id := uuid.MustParse("0198f3c2-7a10-7c4e-9a1b-1f2e3d4c5b6a")
	batch := uuid.MustParse("0198f3c2-7a10-7000-8000-000000000001")
	at := time.Date(2026, 11, 23, 16, 20, 1, 123_000_000, time.FixedZone("", 3600))
	cases := []struct {
		event Event
		want  string
	}{
		{
			Event{Type: BatchCompleted, At: at, Subject: batch, Status: "completed", Run: 2},
			`{"type":"batch.completed","timestamp":"2026-11-23T15:20:01.123Z","data":{` +
				`"id":"0198f3c2-7a10-7000-8000-000000000001","status":"completed","run":2,"links":{` +
				`"items":"https://photos.example/v1/batches/0198f3c2-7a10-7000-8000-000000000001/items",` +
				`"results":"https://photos.example/v1/batches/0198f3c2-7a10-7000-8000-000000000001/results",` +
				`"self":"https://photos.example/v1/batches/0198f3c2-7a10-7000-8000-000000000001"}}}`,
		},
		{
			Event{Type: DetectionFailed, At: at, Subject: id, Status: "failed"},
			`{"type":"detection.failed","timestamp":"2026-11-23T15:20:01.123Z","data":{` +
				`"id":"0198f3c2-7a10-7c4e-9a1b-1f2e3d4c5b6a","status":"failed","custom_id":null,"batch_id":null,"links":{` +
				`"self":"https://photos.example/v1/detections/0198f3c2-7a10-7c4e-9a1b-1f2e3d4c5b6a"}}}`,
		},
		{
			Event{Type: AlertUnmasked, At: at, Subject: id, Status: "succeeded", CustomID: "gate-7", BatchID: batch, NumFaces: 5, NumUnmasked: 4},
			`{"type":"alert.unmasked","timestamp":"2026-11-23T15:20:01.123Z","data":{` +
				`"id":"0198f3c2-7a10-7c4e-9a1b-1f2e3d4c5b6a","status":"succeeded","custom_id":"gate-7",` +
				`"batch_id":"0198f3c2-7a10-7000-8000-000000000001","links":{` +
				`"batch":"https://photos.example/v1/batches/0198f3c2-7a10-7000-8000-000000000001",` +
				`"self":"https://photos.example/v1/detections/0198f3c2-7a10-7c4e-9a1b-1f2e3d4c5b6a"},"num_faces":5,"num_unmasked":4}}`,
		},
		{
			Event{Type: Test, At: at, Subject: id},
			`{"type":"webhook.test","timestamp":"2026-11-23T15:20:01.123Z","data":{"links":{` +
				`"webhooks":"https://photos.example/v1/webhooks"}}}`,
		},
	}
	for _, c := range cases {
		for _, site := range []string{"https://photos.example", "https://photos.example/"} {
			if got, err := c.event.Body(site); err != nil || string(got) != c.want {
				t.Errorf("%s: %v\n got %s\nwant %s", c.event.Type, err, got, c.want)
			}
		}
	}
}

func TestWait(t *testing.T) {
	t.Parallel()
	schedule := []time.Duration{5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour, 10 * time.Hour}
	for range 100 {
		for i, base := range schedule {
			wait, again := Wait(schedule, i+1)
			if !again || wait < base || wait > base+base/10 {
				t.Fatalf("after try %d: %s, %t; want %s and at most a tenth more", i+1, wait, again, base)
			}
		}
	}
	for _, n := range []int{-1, 0, len(schedule) + 1} {
		if wait, again := Wait(schedule, n); again {
			t.Errorf("after try %d: again in %s", n, wait)
		}
	}
}
