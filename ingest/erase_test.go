package ingest

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"maskfleet/pkg/imagestore"
	"maskfleet/pkg/job"
)

// objectsOf lists the keys of a photo's objects.
func (d *door) objectsOf(t *testing.T, day string, id job.ID) (keys []string) {
	t.Helper()
	err := d.images.List(t.Context(), imagestore.PhotoPrefix(day, id), func(page []imagestore.Object) error {
		for _, o := range page {
			keys = append(keys, o.Key)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

// finishedPhoto is a photo with its result, read once so that it is cached; no
// message of it is left.
func (d *door) finishedPhoto(t *testing.T, p person) job.Photo {
	t.Helper()
	id := detectionOf(t, d.post(t, p, landscape(t), nil), http.StatusAccepted).ID
	d.work(t, id)
	d.takeMessage(t, id)
	d.ask(t, p, http.MethodGet, "/v1/detections/"+id.String(), nil, nil)
	photo, err := d.store.Find(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return photo
}

// takeMessage plays the worker that acks the photo's message.
func (d *door) takeMessage(t *testing.T, id job.ID) {
	t.Helper()
	eventually(t, "the message is acked", func() bool {
		delivery, err := d.queue.FetchNow(t.Context(), job.LaneInteractive)
		if err == nil && delivery != nil {
			if err := delivery.Ack(t.Context()); err != nil {
				t.Log(err)
			}
		}
		_, live, err := d.queue.Live(t.Context(), job.LaneInteractive, id)
		return err == nil && !live
	})
}

// onRequest keeps a door from erasing by itself, where a test counts what it erases.
func onRequest(c *Config) { c.Erase.EraseInterval = time.Hour }

func TestEraseRemovesEverythingOfAPhoto(t *testing.T) {
	t.Parallel()
	d := openDoor(t, storesOfPages(t), onRequest)
	photo := d.finishedPhoto(t, d.ann)
	loser := imagestore.ResultKey(photo, 99, "annotated") // of a worker that lost the photo
	if err := d.images.Put(t.Context(), loser, "image/jpeg", []byte("x")); err != nil {
		t.Fatal(err)
	}
	if done, err := d.eraser.erase(t.Context(), d.bob.user.ID, photo.ID); err != nil || done != (erased{}) {
		t.Errorf("bob erased of ann's: %+v, %v", done, err)
	}
	done, err := d.eraser.erase(t.Context(), d.ann.user.ID, photo.ID)
	if want := (erased{Photos: 1, Objects: 4, CacheEntries: 1}); err != nil || done != want {
		t.Errorf("erased %+v, %v, want %+v", done, err, want)
	}
	if left := d.objectsOf(t, photo.Day(), photo.ID); len(left) > 0 {
		t.Errorf("objects left: %v", left)
	}
	if rows, err := d.store.FindKept(t.Context(), []job.ID{photo.ID}); err != nil || len(rows) > 0 {
		t.Errorf("rows left: %+v, %v", rows, err)
	}
	if got := d.ask(t, d.ann, http.MethodGet, "/v1/detections/"+photo.ID.String(), nil, nil).status; got != http.StatusNotFound {
		t.Errorf("ann still gets it: %d", got)
	}
	if done, err := d.eraser.erase(t.Context(), d.ann.user.ID, photo.ID); err != nil || done != (erased{}) {
		t.Errorf("erased a second time: %+v, %v", done, err)
	}
}

func TestARowWaitsForItsMessage(t *testing.T) {
	t.Parallel()
	d := openDoor(t, storesOfPages(t), onRequest)
	id := detectionOf(t, d.post(t, d.ann, landscape(t), nil), http.StatusAccepted).ID
	done, err := d.eraser.erase(t.Context(), d.ann.user.ID, id)
	if want := (erased{Objects: 1, Pending: 1}); err != nil || done != want {
		t.Errorf("erased %+v, %v, want %+v", done, err, want)
	}
	if got := d.ask(t, d.ann, http.MethodGet, "/v1/detections/"+id.String(), nil, nil).status; got != http.StatusNotFound {
		t.Errorf("ann still gets it: %d", got)
	}
	if _, refusal, _, err := d.store.Claim(t.Context(), id, 1, "w", time.Minute); err != nil || refusal == job.RefusedNone || refusal == job.RefusedUnknown {
		t.Errorf("a worker's claim: %q, %v", refusal, err)
	}
	d.takeMessage(t, id)
	eventually(t, "the row is gone", func() bool {
		d.eraser.nudge()
		rows, err := d.store.FindKept(t.Context(), []job.ID{id})
		return err == nil && len(rows) == 0
	})
}

func TestAnAccountIsErasedWithItsPhotos(t *testing.T) {
	t.Parallel()
	d := openDoor(t, storesOfPages(t), nil)
	photo, others := d.finishedPhoto(t, d.ann), d.finishedPhoto(t, d.bob)
	batch := strings.NewReader(`{"items": [{"custom_id": "a", "image": {"url": "https://cameras.example/a.jpg"}}]}`)
	if a := d.ask(t, d.ann, http.MethodPost, "/v1/batches", batch, map[string]string{"Content-Type": "application/json"}); a.status != http.StatusAccepted {
		t.Fatalf("a batch gives %d %s", a.status, a.body)
	}
	if err := d.store.DeleteUser(t.Context(), d.ann.user.ID); err != nil {
		t.Fatal(err)
	}
	d.eraser.nudge()
	eventually(t, "the account is gone", func() bool {
		if message, err := d.queue.FetchNow(t.Context(), job.LaneBatch); err == nil && message != nil {
			if err := message.Ack(t.Context()); err != nil {
				t.Log(err)
			}
		}
		_, err := d.store.FindUser(t.Context(), d.ann.user.ID)
		return err != nil
	})
	if left := d.objectsOf(t, photo.Day(), photo.ID); len(left) > 0 {
		t.Errorf("objects left: %v", left)
	}
	if left := d.objectsOf(t, others.Day(), others.ID); len(left) != 3 {
		t.Errorf("of bob's photo there is left: %v", left)
	}
}

func TestPhotosPastTheirTimeAreErased(t *testing.T) {
	t.Parallel()
	d := openDoor(t, storesOfPages(t), nil)
	photo := d.finishedPhoto(t, d.ann) // with a shorter time from the start it might be gone before that
	strict := &eraser{
		store: d.store, queue: d.queue, cfg: EraseConfig{KeepStaff: time.Millisecond},
		log: d.eraser.log, holder: d.eraser.holder, deed: d.eraser.deed, wake: d.eraser.wake,
	}
	eventually(t, "it is erased", func() bool {
		if err := strict.expire(t.Context()); err != nil {
			t.Log(err)
		}
		rows, err := d.store.FindKept(t.Context(), []job.ID{photo.ID})
		return err == nil && len(rows) == 0 && len(d.objectsOf(t, photo.Day(), photo.ID)) == 0
	})
}

// TestLaneDoesNotShortenTheTime: a photo of no batch is kept as such, also where an
// operator submitted or re-drove it in the batch lane.
func TestLaneDoesNotShortenTheTime(t *testing.T) {
	t.Parallel()
	d := openDoor(t, storesOfPages(t), nil)
	id, err := job.NewID()
	if err != nil {
		t.Fatal(err)
	}
	if err := d.store.Accept(t.Context(), job.Photo{
		ID: id, OwnerID: d.ann.user.ID, Lane: job.LaneBatch, Source: job.SourceLink, Link: "https://example.org/", CreatedAt: time.Now().UTC(), Row: job.Accepted(),
	}); err != nil {
		t.Fatal(err)
	}
	if changed, err := d.store.Cancel(t.Context(), id); err != nil || !changed {
		t.Fatal(changed, err)
	}
	e := &eraser{
		store: d.store, queue: d.queue, cfg: EraseConfig{KeepBatches: time.Nanosecond, KeepStaff: time.Hour},
		log: d.eraser.log, holder: d.eraser.holder, deed: d.eraser.deed, wake: d.eraser.wake,
	}
	eventually(t, "the eraser's lease is ours", func() bool { return e.mine(t.Context()) })
	if err := e.expire(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := d.store.Find(t.Context(), id); err != nil {
		t.Errorf("it was deleted with the photos of batches: %v", err)
	}
}

func TestSweepTellsOrphansFromWhatIsKept(t *testing.T) {
	t.Parallel()
	d := openDoor(t, storesOfPages(t), nil)
	photo := d.finishedPhoto(t, d.ann)
	day := photo.Day()
	orphans := []string{
		imagestore.OriginalKey(job.Photo{ID: uuid.New(), CreatedAt: photo.CreatedAt}), // accepted by nobody
		imagestore.ResultKey(photo, 99, "annotated"),                                  // of a worker that lost
	}
	strangers := []string{day + "/" + uuid.NewString() + "/manifest", day + "/notes"}
	for _, key := range append(orphans, strangers...) {
		if err := d.images.Put(t.Context(), key, "image/jpeg", []byte("x")); err != nil {
			t.Fatal(err)
		}
	}
	if err := d.images.Delete(t.Context(), photo.ThumbnailKey); err != nil {
		t.Fatal(err)
	}
	young := *d.eraser
	found, err := young.sweep(t.Context(), day)
	if err != nil || found.Orphans != 0 || found.Missing != 1 || found.Objects < 4 {
		t.Errorf("while they are young: %+v, %v", found, err)
	}
	old := *d.eraser
	old.cfg.OrphanAge = time.Nanosecond
	if found, err = old.sweep(t.Context(), day); err != nil || found.Orphans != 2 {
		t.Errorf("once they are old: %+v, %v", found, err)
	}
	for key, want := range map[string]bool{orphans[0]: false, orphans[1]: false, strangers[0]: true, strangers[1]: true, photo.OriginalKey: true, photo.AnnotatedKey: true} {
		if _, err := d.images.Get(t.Context(), key, 1<<20); (err == nil) != want {
			t.Errorf("after the sweep, %s: %v", key, err)
		}
	}
	turn := *d.eraser
	turn.swept = time.Time{}
	if err := turn.sweepWhenDue(t.Context()); err != nil {
		t.Fatal(err)
	}
	if last, err := d.store.LastSweep(t.Context()); err != nil || time.Since(last.At).Abs() > time.Hour {
		t.Errorf("a turn that has ended is not told of: %+v, %v", last, err)
	}
}

// TestTwoAtOnePhotoCountItOnce, although to both it is gone.
func TestTwoAtOnePhotoCountItOnce(t *testing.T) {
	t.Parallel()
	d := openDoor(t, storesOfPages(t), nil)
	p := d.finishedPhoto(t, d.ann)
	rows, err := d.store.FindKept(t.Context(), []job.ID{p.ID})
	if err != nil || len(rows) != 1 {
		t.Fatalf("kept: %v, %v", rows, err)
	}
	if _, _, err := d.eraser.mark(t.Context(), d.ann.user.ID, []job.ID{p.ID}); err != nil {
		t.Fatal(err)
	}
	for range 2 { // and the door's own round, if it comes by
		if done := d.eraser.finish(t.Context(), rows[0].Erasable()); done.Photos != 1 || done.Pending != 0 {
			t.Errorf("erased %+v", done)
		}
	}
	if told := d.eraser.deed.told(); told == nil || told.Photos != 1 {
		t.Errorf("of one photo it tells %+v", told)
	}
	if rows := testutil.ToFloat64(d.eraser.removed.WithLabelValues("row")); rows != 1 {
		t.Errorf("of one photo it counts %g rows", rows)
	}
}

// TestRoundLeavesWhatIsInHand: who answers a person says what was removed, so the round
// does not remove it first; once nobody is at it, it does.
func TestRoundLeavesWhatIsInHand(t *testing.T) {
	t.Parallel()
	d := openDoor(t, storesOfPages(t), nil)
	p := d.finishedPhoto(t, d.ann)
	d.eraser.inHand.Store(p.ID, true)
	if _, _, err := d.eraser.mark(t.Context(), d.ann.user.ID, []job.ID{p.ID}); err != nil {
		t.Fatal(err)
	}
	kept := func() bool {
		rows, err := d.store.FindKept(t.Context(), []job.ID{p.ID})
		if err != nil {
			t.Fatal(err)
		}
		return len(rows) == 1
	}
	if err := d.eraser.eraseMarked(t.Context()); err != nil || !kept() {
		t.Fatalf("the round has erased it, %v", err)
	}
	d.eraser.inHand.Delete(p.ID)
	eventually(t, "the round erases what nobody is at", func() bool { return !kept() })
}

// TestUploadGoesWithItsPhoto: it is the same picture once more.
func TestUploadGoesWithItsPhoto(t *testing.T) {
	t.Parallel()
	d := openDoor(t, storesOfPages(t), nil)
	upload, err := uuid.NewV7()
	if err != nil {
		t.Fatal(err)
	}
	mine, others := imagestore.UploadKey(d.ann.user.ID, upload), imagestore.UploadKey(d.bob.user.ID, upload)
	for _, key := range []string{mine, others} {
		if err := d.images.Put(t.Context(), key, "image/jpeg", photo(t)); err != nil {
			t.Fatal(err)
		}
	}
	text := `{"image":{"upload_id":"` + upload.String() + `"}}`
	id := detectionOf(t, d.ask(t, d.ann, http.MethodPost, "/v1/detections", strings.NewReader(text), jsonBody()), http.StatusAccepted).ID
	d.takeMessage(t, id)
	if done, err := d.eraser.erase(t.Context(), d.ann.user.ID, id); err != nil || done.Photos != 1 {
		t.Fatalf("erased %+v, %v", done, err)
	}
	for key, want := range map[string]bool{mine: false, others: true} {
		if _, err := d.images.Get(t.Context(), key, 1<<20); (err == nil) != want {
			t.Errorf("after the photo is erased, %s: %v", key, err)
		}
	}
}

// TestEveryDayIsSweptInTurn: although a new one comes every day.
func TestEveryDayIsSweptInTurn(t *testing.T) {
	t.Parallel()
	var days []string
	swept := map[string]int{}
	first := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for turn := range 24 * 100 { // of hours
		if turn%24 == 0 {
			days = append(days, first.AddDate(0, 0, turn/24).Format(time.DateOnly))
		}
		for _, day := range daysOfTurn(days, int64(turn)) {
			swept[day]++
		}
	}
	for i, day := range days {
		if want := len(days) - i; swept[day] < want-1 || swept[day] > want {
			t.Errorf("%s was swept %d times in %d days", day, swept[day], want)
		}
	}
}

// TestSweepHoldsAPageAtATime: not every key of a day.
func TestSweepHoldsAPageAtATime(t *testing.T) {
	t.Parallel()
	d := openDoor(t, storesOfPages(t), nil)
	var photos []job.Photo
	for range 3 {
		photos = append(photos, d.finishedPhoto(t, d.ann))
	}
	if err := d.images.Delete(t.Context(), photos[1].ThumbnailKey); err != nil {
		t.Fatal(err)
	}
	rows, err := d.eraser.walkRows(photos[0].Day())
	if err != nil {
		t.Fatal(err)
	}
	for _, photo := range photos {
		for _, key := range d.objectsOf(t, photo.Day(), photo.ID) {
			if err := rows.see(t.Context(), []imagestore.Object{{Key: key}}); err != nil {
				t.Fatal(err)
			}
			if len(rows.there) > 3 {
				t.Errorf("%d keys are held", len(rows.there))
			}
		}
	}
	if err := rows.upTo(t.Context(), lastID()); err != nil || rows.missing != 1 {
		t.Errorf("%d are missing, %v, want 1", rows.missing, err)
	}
}
