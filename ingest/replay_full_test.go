package ingest

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strings"
	"testing"
	"time"

	"maskfleet/pkg/problem"
)

// A client whose answer was lost must not hear that nothing was stored.
func TestRepetitionIsAnsweredWhileTheDoorTakesNothingIn(t *testing.T) {
	t.Parallel()
	d := openDoor(t, sharedStores(t), func(c *Config) { c.Admission.AdmissionInterval = time.Hour })
	data := photo(t)
	asJSON := `{"image":{"base64":"` + base64.StdEncoding.EncodeToString(data) + `"}}`
	send := map[string]func(key string) answer{
		"form": func(key string) answer { return d.post(t, d.ann, data, keyed(key)) },
		"JSON": func(key string) answer {
			return d.ask(t, d.ann, http.MethodPost, "/v1/detections", strings.NewReader(asJSON), keyed(key, jsonBody()))
		},
		"batch": func(key string) answer {
			return d.ask(t, d.ann, http.MethodPost, "/v1/batches", strings.NewReader(itemLines(1)), keyed(key, map[string]string{"Content-Type": ndjson}))
		},
	}
	first := map[string]answer{}
	for name, do := range send {
		if first[name] = do(name); first[name].status != 202 {
			t.Fatalf("%s: got %d %s", name, first[name].status, first[name].body)
		}
	}
	name, lock, _ := d.die(t, d.ann, "/v1/batches", "agreed")
	if _, err := d.store.AgreeOnRequest(t.Context(), name, lock, sha256.Sum256([]byte(itemLines(1)))); err != nil {
		t.Fatal(err)
	}
	d.fill()
	for name, do := range send {
		if again := do(name); !replayed(again) || !bytes.Equal(again.body, first[name].body) {
			t.Errorf("%s: the repetition is answered %d %s", name, again.status, again.body)
		}
		d.refuses(t, do("new "+name), 503, problem.CodeQueueFull)
		d.refuses(t, do("new "+name), 503, problem.CodeQueueFull) // a key opens no door
	}
	d.refuses(t, send["batch"]("agreed"), 503, problem.CodeQueueFull) // its door died before the row
	if n := d.photosStored(t); n > 3 {
		t.Errorf("%d photos are stored, want 3 at most", n)
	}
}

// fill has all queues at their limit, until admission looks again.
func (d *door) fill() {
	d.admission.mu.Lock()
	defer d.admission.mu.Unlock()
	d.admission.latest.broker, d.admission.latest.batches = d.cfg.Admission.QueueLimit, d.cfg.Admission.BatchQueueLimit
}
