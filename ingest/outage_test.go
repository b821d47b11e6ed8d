package ingest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"maskfleet/pkg/job"
	"maskfleet/pkg/jobqueue"
	"maskfleet/pkg/problem"
	"maskfleet/pkg/telemetry"
	"maskfleet/pkg/testenv"
	"maskfleet/pkg/webui/login"
)

// patience is how long a test waits for what must happen sooner or later.
const patience = 3 * time.Minute

// eventually waits until holds gives true.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if holds() {
			return
		}
	}
	t.Fatalf("never: %s", what)
}

// promptly fails the test if do takes longer than anybody should have to wait.
func promptly(t *testing.T, do func() answer) answer {
	t.Helper()
	start := time.Now()
	a := do()
	if took := time.Since(start); took > 25*time.Second {
		t.Errorf("the answer %d took %v", a.status, took)
	}
	return a
}

func TestMySQLAway(t *testing.T) {
	t.Parallel()
	server := testenv.NewMariaDB(t)
	st := sharedStores(t)
	st.mysql = server.Database(t)
	d := openDoor(t, st, nil)
	data := photo(t)
	id := detectionOf(t, d.post(t, d.ann, data, nil), 202).ID
	token, err := d.accounts.StartSession(t.Context(), d.ann.user)
	if err != nil {
		t.Fatal(err)
	}
	for name, away := range map[string]struct{ leave, back func() }{
		"frozen": {server.Freeze, server.Thaw},
		"killed": {server.Kill, func() { server.Start(t) }},
	} {
		before := d.photosStored(t)
		away.leave()
		a := promptly(t, func() answer { return d.post(t, d.ann, data, nil) })
		d.refuses(t, a, 503, "")
		if a.header.Get("Retry-After") == "" {
			t.Errorf("%s: no Retry-After", name)
		}
		cookie := map[string]string{"Cookie": login.Cookie + "=" + token}
		d.refuses(t, promptly(t, func() answer { return d.post(t, person{}, data, cookie) }), 503, "")
		d.refuses(t, promptly(t, func() answer { return d.ask(t, d.ann, http.MethodGet, "/v1/detections/"+id.String(), nil, nil) }), 503, "")
		if ready := d.ask(t, person{}, http.MethodGet, "/readyz", nil, nil); ready.status != 200 {
			t.Errorf("%s: /readyz is %d; the door must stay in service", name, ready.status)
		}
		away.back()
		eventually(t, name+": the door takes photos again", func() bool { return d.admission.admit() == nil })
		if after := d.photosStored(t); after != before {
			t.Errorf("%s: %d rows were stored by refused requests", name, after-before)
		}
		eventually(t, name+": a photo is accepted again", func() bool { return d.post(t, d.ann, data, nil).status == 202 })
	}
}

func TestS3Away(t *testing.T) {
	t.Parallel()
	server := testenv.NewS3(t)
	st := sharedStores(t)
	st.s3 = server.Bucket(t)
	d := openDoor(t, st, nil)
	data := photo(t)
	detectionOf(t, d.post(t, d.ann, data, nil), 202)
	for name, away := range map[string]struct{ leave, back func() }{
		"frozen": {server.Freeze, server.Thaw},
		"killed": {server.Kill, func() { server.Start(t) }},
	} {
		before := d.photosStored(t)
		away.leave()
		a := promptly(t, func() answer { return d.post(t, d.ann, data, nil) })
		d.refuses(t, a, 503, problem.CodeUnavailable)
		if a.header.Get("Retry-After") == "" {
			t.Errorf("%s: no Retry-After", name)
		}
		if after := d.photosStored(t); after != before {
			t.Errorf("%s: %d rows were stored without their original", name, after-before)
		}
		away.back()
		eventually(t, name+": a photo is accepted again", func() bool { return d.post(t, d.ann, data, nil).status == 202 })
	}
}

func TestBrokerAway(t *testing.T) {
	t.Parallel()
	st := sharedStores(t)
	nats, server := testenv.NATS(t)
	st.nats = nats
	d := openDoor(t, st, nil)
	server.Stop()
	a := promptly(t, func() answer { return d.post(t, d.ann, photo(t), nil) })
	id := detectionOf(t, a, 202).ID // the row is the promise
	server.Start()
	eventually(t, "the publisher hands the photo over", func() bool {
		_, live, err := d.queue.Live(t.Context(), job.LaneInteractive, id)
		return err == nil && live
	})
}

func TestPausedIntakeRefusesAtEveryDoor(t *testing.T) {
	t.Parallel()
	st := sharedStores(t)
	d := openDoor(t, st, nil)
	if err := d.queue.SetIntake(t.Context(), jobqueue.Intake{PausedUntil: time.Now().Add(time.Hour), Reason: "secret plans", By: "ann"}); err != nil {
		t.Fatal(err)
	}
	data := photo(t)
	var a answer
	eventually(t, "the door is paused", func() bool { a = d.post(t, d.ann, data, nil); return a.status == 503 })
	var p problem.Document
	a.into(t, &p)
	if p.Code != problem.CodeIntakePaused || a.header.Get("Retry-After") != "60" || strings.Contains(string(a.body), "secret") {
		t.Errorf("got %s, Retry-After %q", a.body, a.header.Get("Retry-After"))
	}
	batch := d.ask(t, d.ann, http.MethodPost, "/v1/batches", strings.NewReader(`{"items":[{"custom_id":"a","image":{"url":"https://example.com/a.jpg"}}]}`),
		map[string]string{"Content-Type": "application/json"})
	if batch.status != 503 {
		t.Errorf("a batch: got %d %s", batch.status, batch.body)
	}

	tel := telemetry.New(telemetry.Config{LogLevel: "error"}, io.Discard)
	started, closeDoors, err := Open(t.Context(), testConfig(st), tel)
	if err != nil {
		t.Fatal(err)
	}
	defer closeDoors()
	started.admission.look(t.Context()) // as Serve does before the first request
	if err := started.admission.admit(); problem.From(err) == nil || problem.From(err).Code != problem.CodeIntakePaused {
		t.Errorf("a door that starts: got %v", err)
	}

	if err := d.queue.SetIntake(t.Context(), jobqueue.Intake{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the door takes photos again", func() bool { return d.post(t, d.ann, data, nil).status == 202 })
}

func TestRedisAway(t *testing.T) {
	t.Parallel()
	server := testenv.NewRedis(t)
	st := sharedStores(t)
	st.redis = server.Config()
	d := openDoor(t, st, nil)
	data := photo(t)
	for _, away := range []func(){func() { server.Empty(t) }, server.Freeze, server.Kill} {
		away()
		id := detectionOf(t, promptly(t, func() answer { return d.post(t, d.ann, data, nil) }), 202).ID
		finished := make(chan struct{})
		go func() {
			defer close(finished)
			d.complete(t, id)
		}()
		a := promptly(t, func() answer {
			return d.ask(t, d.ann, http.MethodGet, "/v1/detections/"+id.String()+"?wait=10", nil, nil)
		})
		<-finished
		if got := detectionOf(t, a, 200); got.Status != job.StateSucceeded {
			t.Errorf("got %s, want the result that MySQL's poll finds", a.body)
		}
		server.Thaw()
	}
}

// seesQueued waits until admission has seen so many photos on the broker and none
// outside. Before, one of them may count twice, or for a look not at all.
func (d *door) seesQueued(t *testing.T, photos int) {
	t.Helper()
	eventually(t, fmt.Sprintf("admission sees %d photos on the broker", photos), func() bool {
		d.admission.mu.Lock()
		defer d.admission.mu.Unlock()
		return d.admission.latest.broker == photos && d.admission.latest.outside == 0
	})
}

func TestFullQueueRefusesBeforeAnythingIsStored(t *testing.T) {
	t.Parallel()
	d := openDoor(t, sharedStores(t), func(c *Config) { c.Admission.QueueLimit = 3 })
	data := photo(t)
	for range 3 {
		// A photo that is on the broker but not yet confirmed in its row counts twice.
		eventually(t, "there is room for one more", func() bool { return d.post(t, d.ann, data, nil).status == 202 })
	}
	d.seesQueued(t, 3)
	originals := stepsTaken(t, d, "store original")
	a := d.post(t, d.ann, data, nil)
	d.refuses(t, a, 503, problem.CodeQueueFull)
	if a.header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	if n := d.photosStored(t); n != 3 || stepsTaken(t, d, "store original") != originals {
		t.Errorf("%d photos are stored, want 3", n)
	}
}

// TestStampede sends 2,000 photos at once: each is accepted or told to come again. It
// runs alone, because it leaves others nothing of the machine.
func TestStampede(t *testing.T) { //nolint:paralleltest // see above
	const requests = 2000
	d := openDoor(t, sharedStores(t), func(c *Config) {
		c.Admission.QueueLimit = 1200
		c.Admission.UploadBytesInFlight = 32 << 20
	})
	body, kind := multipartBody(t, part{field: "file", filename: "a.jpg", data: append(photo(t), make([]byte, 100<<10)...)})
	d.client.Transport = &http.Transport{MaxIdleConnsPerHost: requests}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	type outcome struct {
		status int
		after  string
		err    error
	}
	outcomes := make(chan outcome)
	for range requests {
		go func() {
			a, err := d.try(ctx, d.ann, http.MethodPost, "/v1/detections", bytes.NewReader(body.Bytes()), map[string]string{"Content-Type": kind})
			outcomes <- outcome{a.status, a.header.Get("Retry-After"), err}
		}()
	}
	counts := map[int]int{}
	for range requests {
		o := <-outcomes
		if o.err != nil {
			t.Fatalf("a connection broke: %v", o.err)
		}
		if o.status == 503 && o.after == "" {
			t.Error("a 503 without Retry-After")
		}
		counts[o.status]++
	}
	if counts[202]+counts[503] != requests || counts[202] == 0 {
		t.Errorf("the answers are %v", counts)
	}
	if stored := d.photosStored(t); stored != counts[202] {
		t.Errorf("%d rows are stored, %d photos were accepted", stored, counts[202])
	}
	t.Logf("answers: %v", counts)
}
