package ingest

import (
	"bytes"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"maskfleet/pkg/job"
)

// browse sends a form as a browser of the site would.
func (d *door) browse(t *testing.T, method, path, cookie string, form url.Values, header map[string]string) answer {
	t.Helper()
	all := map[string]string{"Accept": "text/html", "Content-Type": "application/x-www-form-urlencoded", "Cookie": cookie, "Origin": d.url}
	maps.Copy(all, header)
	return d.ask(t, person{}, method, path, bytes.NewReader([]byte(form.Encode())), all)
}

// session logs a person in and gives the cookie to send.
func (d *door) session(t *testing.T, p person) string {
	t.Helper()
	form := url.Values{"username": {p.user.Username}, "password": {p.password}}
	a := d.browse(t, http.MethodPost, "/login", "", form, nil)
	for range 5 { // a crowded machine may be slower than Redis is given time
		if a.status != http.StatusServiceUnavailable {
			break
		}
		a = d.browse(t, http.MethodPost, "/login", "", form, nil)
	}
	if a.status != http.StatusSeeOther {
		t.Fatalf("logging in gave %d", a.status)
	}
	cookie := a.header.Get("Set-Cookie")
	for _, must := range []string{"HttpOnly", "SameSite=Lax"} {
		if !strings.Contains(cookie, must) {
			t.Errorf("the session cookie %q lacks %s", cookie, must)
		}
	}
	name, _, _ := strings.Cut(cookie, ";")
	return name
}

func TestPagesKeepPeopleApart(t *testing.T) {
	t.Parallel()
	d := openDoor(t, storesOfPages(t), nil)
	photo := detectionOf(t, d.post(t, d.ann, landscape(t), nil), http.StatusAccepted)
	ann, bob := d.session(t, d.ann), d.session(t, d.bob)
	for _, path := range []string{"", "/status", "/image/original", "/image/nothing"} {
		path = "/photos/" + photo.ID.String() + path
		if got := d.browse(t, http.MethodGet, path, bob, nil, nil).status; got != http.StatusNotFound {
			t.Errorf("bob gets %d for ann's %s", got, path)
		}
		if got := d.browse(t, http.MethodGet, path, "", nil, nil); got.status != http.StatusSeeOther {
			t.Errorf("nobody gets %d for ann's %s", got.status, path)
		}
	}
	if got := d.browse(t, http.MethodPost, "/photos/"+photo.ID.String()+"/retry", bob, nil, nil).status; got != http.StatusNotFound {
		t.Errorf("bob's retry of ann's photo gives %d", got)
	}
	stream := d.browse(t, http.MethodGet, "/photos/events?ids="+photo.ID.String(), bob, nil, nil)
	if strings.Contains(string(stream.body), photo.ID.String()) || !strings.Contains(string(stream.body), "event: end") {
		t.Errorf("bob's stream of ann's photo says %q", stream.body)
	}
	if got := d.browse(t, http.MethodGet, "/photos/"+photo.ID.String(), ann, nil, nil).status; got != http.StatusOK {
		t.Errorf("ann gets %d for her own", got)
	}
}

func TestPagesRefuseOtherSites(t *testing.T) {
	t.Parallel()
	d := openDoor(t, storesOfPages(t), nil)
	ann := d.session(t, d.ann)
	elsewhere := map[string]string{"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
	for _, path := range []string{"/login", "/logout", "/photos", "/links", "/account/keys"} {
		if got := d.browse(t, http.MethodPost, path, ann, nil, elsewhere).status; got != http.StatusForbidden {
			t.Errorf("POST %s from another site gives %d", path, got)
		}
	}
	for _, next := range []string{"https://evil.example/", "//evil.example", `/\evil.example`, "javascript:alert(1)", "photos"} {
		form := url.Values{"username": {"ann"}, "password": {d.ann.password}, "next": {next}}
		if got := d.browse(t, http.MethodPost, "/login", "", form, nil).header.Get("Location"); got != "/" {
			t.Errorf("the log-in leads %q to %q", next, got)
		}
	}
}

func TestPagesLimitLogIns(t *testing.T) {
	t.Parallel()
	d := openDoor(t, storesOfPages(t), nil)
	try := func(username, address string) answer {
		return d.browse(t, http.MethodPost, "/login", "", url.Values{"username": {username}, "password": {"wrong"}},
			map[string]string{"X-Forwarded-For": address})
	}
	for _, username := range []string{"ann", "nobody at all"} { // no difference between them
		for i := range 10 {
			if got := try(username, "192.0.2.1").status; got != http.StatusUnauthorized {
				t.Fatalf("try %d as %s gives %d", i+1, username, got)
			}
		}
		if got := try(username, "192.0.2.1"); got.status != http.StatusTooManyRequests || got.header.Get("Retry-After") == "" {
			t.Errorf("try 11 as %s gives %d", username, got.status)
		}
	}
	if got := try("ann", "192.0.2.2").status; got != http.StatusUnauthorized {
		t.Errorf("ann is locked out at another address with %d", got)
	}
}

func TestLimitsSeeThroughSpellings(t *testing.T) {
	t.Parallel()
	d := openDoor(t, storesOfPages(t), nil)
	try := func(username, address string) int {
		return d.browse(t, http.MethodPost, "/login", "", url.Values{"username": {username}, "password": {"wrong"}},
			map[string]string{"X-Forwarded-For": address}).status
	}
	for _, spellings := range [][]string{
		{"ann", "ÁNN", "ａｎｎ", "a\u0301nn", "ann\u0000"},
		{"nemo", "NÉMO", "ｎｅｍｏ", "ne\u0301mo", "nemo\u0000"}, // no difference where there is no account
	} {
		for i := range 10 {
			host := fmt.Sprintf("2001:db8:0:7::%x", i+1) // all of them one subscriber's
			if got := try(spellings[i%len(spellings)], host); got != http.StatusUnauthorized {
				t.Fatalf("try %d as %q gives %d", i+1, spellings[i%len(spellings)], got)
			}
		}
		if got := try(spellings[1], "2001:db8:0:7:ffff::1"); got != http.StatusTooManyRequests {
			t.Errorf("try 11 as %q gives %d", spellings[1], got)
		}
	}
	if got := try("ann", "2001:db8:0:8::1"); got != http.StatusUnauthorized {
		t.Errorf("ann is locked out in another network with %d", got)
	}
}

// failedPhoto gives a photo of ann's that failed.
func (d *door) failedPhoto(t *testing.T) job.ID {
	t.Helper()
	id := detectionOf(t, d.post(t, d.ann, landscape(t), nil), http.StatusAccepted).ID
	photo, refusal, _, err := d.store.Claim(t.Context(), id, 1, "worker-of-test", time.Minute)
	if err != nil || refusal != job.RefusedNone {
		t.Fatalf("claiming: %q, %v", refusal, err)
	}
	if failed, err := d.store.Fail(t.Context(), id, photo.Row.Fence, job.Fail(job.CodeInferenceTimeout, nil)); err != nil || !failed {
		t.Fatalf("failing: %v, %v", failed, err)
	}
	return id
}

func TestPagesRetryAFailedPhoto(t *testing.T) {
	t.Parallel()
	d := openDoor(t, storesOfPages(t), nil)
	ann := d.session(t, d.ann)
	id := d.failedPhoto(t)
	page := d.browse(t, http.MethodGet, "/photos/"+id.String(), ann, nil, nil)
	if !strings.Contains(string(page.body), "The photo took too long to process.") {
		t.Errorf("the failed photo's page gives %d without its sentence", page.status)
	}
	if got := d.browse(t, http.MethodPost, "/photos/"+id.String()+"/retry", ann, nil, nil).status; got != http.StatusSeeOther {
		t.Errorf("the retry gives %d", got)
	}
	if again, err := d.store.Find(t.Context(), id); err != nil || again.Row.State != job.StateQueued {
		t.Errorf("after the retry it is %s, %v", again.Row.State, err)
	}
}

func TestPagesRetryNothingWhileTheQueueIsFull(t *testing.T) {
	t.Parallel()
	d := openDoor(t, storesOfPages(t), func(c *Config) { c.Admission.QueueLimit = 1 })
	ann := d.session(t, d.ann)
	id := d.failedPhoto(t) // its message still waits on the broker
	d.seesQueued(t, 1)
	a := d.browse(t, http.MethodPost, "/photos/"+id.String()+"/retry", ann, nil, nil)
	if a.status != http.StatusServiceUnavailable || a.header.Get("Retry-After") == "" {
		t.Errorf("the retry gives %d %v", a.status, a.header)
	}
	if still, err := d.store.Find(t.Context(), id); err != nil || still.Row.State != job.StateFailed {
		t.Errorf("after the refused retry it is %s, %v", still.Row.State, err)
	}
}

// sendForm sends files as the upload page without script does.
func (d *door) sendForm(t *testing.T, cookie string, files ...part) answer {
	t.Helper()
	body, kind := multipartBody(t, files...)
	return d.ask(t, person{}, http.MethodPost, "/photos", body,
		map[string]string{"Accept": "text/html", "Content-Type": kind, "Cookie": cookie, "Origin": d.url})
}

func TestPagesSayWhichFilesAFormHadTooMany(t *testing.T) {
	t.Parallel()
	d := openDoor(t, storesOfPages(t), nil)
	ann := d.session(t, d.ann)
	files := make([]part, maxFilesAForm)
	for i := range files {
		files[i] = part{field: "file", filename: "notes.jpg", data: []byte("only words")}
	}
	files[0].data = landscape(t)
	const sentence = "At most 1000 files are taken at a time"
	if a := d.sendForm(t, ann, files...); strings.Contains(string(a.body), sentence) {
		t.Error("as many files as are allowed are too many")
	}
	if a := d.sendForm(t, ann, slices.Concat(files, files[:1])...); a.status != http.StatusOK || !strings.Contains(string(a.body), sentence) {
		t.Errorf("one file too many gives %d without its sentence", a.status)
	}
	if n := len(d.photosOf(t, d.ann)); n != 2 {
		t.Errorf("%d photos were accepted, want 2", n)
	}
}

func TestPagesSayWhenToComeAgain(t *testing.T) {
	t.Parallel()
	d := openDoor(t, storesOfPages(t), nil)
	ann := d.session(t, d.ann)
	d.admission.memory.take(d.admission.memory.limit)
	a := d.sendForm(t, ann, part{field: "file", filename: "a.jpg", data: landscape(t)})
	if a.status != http.StatusServiceUnavailable || a.header.Get("Retry-After") == "" {
		t.Errorf("while others fill the memory: %d %v", a.status, a.header)
	}
}

// TestLogInTellsNobodyWhoHasAnAccount: by its answer; that the time does not tell
// either is for pkg/account.
func TestLogInTellsNobodyWhoHasAnAccount(t *testing.T) {
	t.Parallel()
	d := openDoor(t, storesOfPages(t), nil)
	if err := d.store.SetUserDisabled(t.Context(), d.bob.user.ID, true); err != nil {
		t.Fatal(err)
	}
	try := func(username string) (page, upload answer) {
		page = d.browse(t, http.MethodPost, "/login", "", url.Values{"username": {username}, "password": {"wrong"}}, nil)
		body, kind := multipartBody(t, part{field: "username", data: []byte(username)}, part{field: "password", data: []byte("wrong")},
			part{field: "file", filename: "a.jpg", data: photo(t)})
		upload = d.ask(t, person{}, http.MethodPost, "/api/upload", body, map[string]string{"Content-Type": kind})
		page.body = bytes.ReplaceAll(page.body, []byte(username), nil) // it stands in the form again
		for _, a := range []answer{page, upload} {
			for _, each := range []string{"X-Request-Id", "Date"} {
				a.header.Del(each)
			}
		}
		return page, upload
	}
	page, upload := try("eve")                        // there is no such account, and its name is as long
	for _, username := range []string{"ann", "bob"} { // bob's account is closed
		p, u := try(username)
		if p.status != page.status || !bytes.Equal(p.body, page.body) || !maps.EqualFunc(p.header, page.header, slices.Equal) {
			t.Errorf("the log-in tells %s from nobody: %d %v", username, p.status, p.header)
		}
		if u.status != upload.status || !bytes.Equal(u.body, upload.body) || !maps.EqualFunc(u.header, upload.header, slices.Equal) {
			t.Errorf("/api/upload tells %s from nobody: %d %s", username, u.status, u.body)
		}
	}
}
