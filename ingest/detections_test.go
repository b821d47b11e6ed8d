package ingest

import (
	"bufio"
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"maskfleet/pkg/account"
	"maskfleet/pkg/job"
	"maskfleet/pkg/problem"
	"maskfleet/pkg/webui/login"
)

func TestPhotoFromUploadToResult(t *testing.T) {
	t.Parallel()
	d := openDoor(t, sharedStores(t), nil)
	data := photo(t)
	body, kind := multipartBody(t, part{field: "file", filename: "gate 7.jpg", data: data}, part{field: "metadata", data: []byte(`{"gate":"7"}`)})
	posted := d.ask(t, d.ann, http.MethodPost, "/v1/detections", body, map[string]string{"Content-Type": kind})
	accepted := detectionOf(t, posted, 202)
	path := posted.header.Get("Location")
	if path != "/v1/detections/"+accepted.ID.String() || posted.header.Get("Retry-After") == "" {
		t.Errorf("the header of the 202 is %v", posted.header)
	}
	if accepted.Status != job.StateQueued || accepted.Image.Filename != "gate 7.jpg" || accepted.Image.Width != 64 || accepted.Metadata["gate"] != "7" {
		t.Errorf("accepted as %s", posted.body)
	}
	stored, err := d.images.Get(t.Context(), d.keyOf(t, accepted.ID), 1<<20)
	if err != nil || string(stored) != string(data) {
		t.Errorf("the original in S3 has %d bytes (%v), want the %d sent", len(stored), err, len(data))
	}
	if publication, live, err := d.queue.Live(t.Context(), job.LaneInteractive, accepted.ID); err != nil || !live || publication != 1 {
		t.Errorf("on the broker: publication %d, live %v, %v", publication, live, err)
	}

	d.complete(t, accepted.ID)
	got := d.ask(t, d.ann, http.MethodGet, path+"?wait=10", nil, nil)
	done := detectionOf(t, got, 200)
	if done.Status != job.StateSucceeded || *done.NumFaces != 2 || *done.NumMasked != 1 || *done.Category != job.CategorySomeMasked || done.Faces[1].Box.Left != 0.5 {
		t.Errorf("the result is %s", got.body)
	}
	tag := got.header.Get("ETag")
	if again := d.ask(t, d.ann, http.MethodGet, path, nil, map[string]string{"If-None-Match": tag}); tag == "" || again.status != 304 {
		t.Errorf("with the ETag %q the answer is %d, want 304", tag, again.status)
	}
}

func (d *door) keyOf(t *testing.T, id job.ID) string {
	t.Helper()
	photo, err := d.store.Find(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return photo.OriginalKey
}

func TestPreferWaitAnswersWithTheResult(t *testing.T) {
	t.Parallel()
	d := openDoor(t, sharedStores(t), nil)
	finished := make(chan struct{})
	go func() {
		defer close(finished)
		d.finishNext(t)
	}()
	a := d.post(t, d.ann, photo(t), map[string]string{"Prefer": "wait=20"})
	<-finished
	if got := detectionOf(t, a, 200); got.Status != job.StateSucceeded {
		t.Errorf("got %s", a.body)
	}
	if applied := a.header.Get("Preference-Applied"); applied != "wait=20" {
		t.Errorf("Preference-Applied is %q", applied)
	}
	if late := detectionOf(t, d.post(t, d.ann, photo(t), map[string]string{"Prefer": "wait=1"}), 202); late.Status != job.StateQueued {
		t.Errorf("got %v, want queued", late.Status)
	}
	if a := d.post(t, d.ann, photo(t), map[string]string{"Prefer": "wait=soon"}); a.status != 400 {
		t.Errorf("wait=soon is answered %d", a.status)
	}
}

// finishNext plays a worker for the next photo on the broker.
func (d *door) finishNext(t *testing.T) {
	t.Helper()
	delivery, err := d.queue.FetchWait(t.Context(), job.LaneInteractive, 20*time.Second)
	if err != nil || delivery == nil {
		t.Errorf("nothing came from the broker: %v", err)
		return
	}
	d.complete(t, delivery.Message.PhotoID)
	if err := delivery.Ack(t.Context()); err != nil {
		t.Error(err)
	}
	if err := d.cache.Notify(t.Context(), delivery.Message.PhotoID); err != nil {
		t.Error(err)
	}
}

func TestImageVariantsAreSignedLinks(t *testing.T) {
	t.Parallel()
	d := openDoor(t, sharedStores(t), nil)
	data := photo(t)
	id := detectionOf(t, d.post(t, d.ann, data, nil), 202).ID
	path := "/v1/detections/" + id.String() + "/image"
	if a := d.ask(t, d.ann, http.MethodGet, path+"?variant=annotated", nil, nil); a.status != 404 {
		t.Errorf("before the result, annotated is answered %d", a.status)
	}
	d.complete(t, id)
	for variant, want := range map[string]string{"": string(data), "?variant=original": string(data), "?variant=annotated": "annotated"} {
		a := d.ask(t, d.ann, http.MethodGet, path+variant, nil, nil)
		if a.status != http.StatusFound {
			t.Fatalf("%s is answered %d %s", variant, a.status, a.body)
		}
		response, err := http.Get(a.header.Get("Location"))
		if err != nil {
			t.Fatal(err)
		}
		got := make([]byte, len(want)+1)
		n, _ := response.Body.Read(got)
		response.Body.Close()
		if response.StatusCode != 200 || !strings.HasPrefix(want, string(got[:n])) || n == 0 {
			t.Errorf("%s: the link gave %d and %d bytes", variant, response.StatusCode, n)
		}
	}
	for query, status := range map[string]int{"?variant=thumbnail": 404, "?variant=huge": 400} {
		if a := d.ask(t, d.ann, http.MethodGet, path+query, nil, nil); a.status != status {
			t.Errorf("%s is answered %d, want %d", query, a.status, status)
		}
	}
}

func TestAnotherUsersPhotoIsInvisible(t *testing.T) {
	t.Parallel()
	d := openDoor(t, sharedStores(t), nil)
	id := detectionOf(t, d.post(t, d.ann, photo(t), nil), 202).ID
	look := func(t *testing.T) {
		t.Helper()
		root := "/v1/detections/" + id.String()
		for _, path := range []string{root, root + "?wait=1", root + "/image", root + "/image?variant=annotated", root + "/events"} {
			d.refuses(t, d.ask(t, d.bob, http.MethodGet, path, nil, nil), 404, problem.CodeNotFound)
			d.refuses(t, d.ask(t, person{}, http.MethodGet, path, nil, nil), 401, problem.CodeUnauthenticated)
		}
		for _, none := range []string{"00000000-0000-7000-8000-000000000000", "nonsense", "{" + id.String() + "}"} {
			d.refuses(t, d.ask(t, d.ann, http.MethodGet, "/v1/detections/"+none, nil, nil), 404, problem.CodeNotFound)
		}
	}
	t.Run("waiting", look)
	d.complete(t, id)
	detectionOf(t, d.ask(t, d.ann, http.MethodGet, "/v1/detections/"+id.String(), nil, nil), 200) // now it is in the cache
	t.Run("finished and cached", look)
}

func TestKeysNeedTheirScope(t *testing.T) {
	t.Parallel()
	d := openDoor(t, sharedStores(t), nil)
	readOnly := person{}
	var err error
	if readOnly.key, _, err = d.accounts.NewAPIKey(t.Context(), d.ann.user, "reader", []string{account.ScopeRead}); err != nil {
		t.Fatal(err)
	}
	d.refuses(t, d.post(t, readOnly, photo(t), nil), 403, problem.CodeForbidden)
	if a := d.ask(t, readOnly, http.MethodGet, "/v1/limits", nil, nil); a.status != 200 {
		t.Errorf("the limits are answered %d %s", a.status, a.body)
	}
}

func TestSessionsCannotBeUsedByAnotherSite(t *testing.T) {
	t.Parallel()
	d := openDoor(t, sharedStores(t), nil)
	token, err := d.accounts.StartSession(t.Context(), d.ann.user)
	if err != nil {
		t.Fatal(err)
	}
	cookie := map[string]string{"Cookie": login.Cookie + "=" + token}
	detectionOf(t, d.post(t, person{}, photo(t), cookie), 202)
	cookie["Sec-Fetch-Site"] = "cross-site"
	d.refuses(t, d.post(t, person{}, photo(t), cookie), 403, problem.CodeForbidden)
}

func TestEventsFollowAPhotoToItsEnd(t *testing.T) {
	t.Parallel()
	d := openDoor(t, sharedStores(t), nil)
	id := detectionOf(t, d.post(t, d.ann, photo(t), nil), 202).ID
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, d.url+"/v1/detections/"+id.String()+"/events", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+d.ann.key)
	response, err := d.client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var states []job.State
	ended := false
	for lines := bufio.NewScanner(response.Body); lines.Scan(); {
		line := lines.Text()
		ended = ended || line == "event: "+eventEnd
		text, isData := strings.CutPrefix(line, "data: ")
		if !isData {
			continue
		}
		var now detection
		if err := json.Unmarshal([]byte(text), &now); err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		states = append(states, now.Status)
		if len(states) == 1 {
			d.complete(t, id) // no notice: MySQL's poll must find it
		}
	}
	if len(states) < 2 || states[0] != job.StateQueued || states[len(states)-1] != job.StateSucceeded || !ended {
		t.Errorf("the stream told of %v and its end: %v", states, ended)
	}
}

func TestDecodingOfJSONCountsAsMemory(t *testing.T) {
	t.Parallel()
	d := openDoor(t, sharedStores(t), nil)
	body, err := json.Marshal(map[string]any{"image": map[string]any{"base64": append(photo(t), make([]byte, 600<<10)...)}})
	if err != nil {
		t.Fatal(err)
	}
	send := func() answer {
		return d.ask(t, d.ann, http.MethodPost, "/v1/detections", bytes.NewReader(body), map[string]string{"Content-Type": "application/json"})
	}
	others := d.admission.memory.limit - 2<<20 // leaves room for the body alone
	d.admission.memory.take(others)
	a := send()
	d.refuses(t, a, http.StatusServiceUnavailable, problem.CodeUnavailable)
	if a.header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	d.admission.memory.give(others)
	d.storedNothing(t)
	detectionOf(t, send(), http.StatusAccepted)
	eventually(t, "the memory is given back", func() bool { return d.admission.memory.fits(d.admission.memory.limit) })
}
