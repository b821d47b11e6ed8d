package manager_test

import (
	"bytes"
	"image"
	"image/png"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"maskfleet/pkg/job"
	"maskfleet/pkg/jobqueue"
	"maskfleet/pkg/webui/browser"
)

// rows is JavaScript that counts the rows of the page's list.
const rows = `document.querySelectorAll('.table tbody tr').length`

func TestJobsAreFoundChosenAndTriedAgain(t *testing.T) {
	t.Parallel()
	s := openSite(t)
	o := s.operator(t)
	var failed []job.Photo
	for range 3 {
		p := s.accept(t)
		o.fail(p, job.CodeDecoderCrashed, "3")
		failed = append(failed, p)
	}
	waits := s.accept(t)

	tab := browser.Open(t)
	s.enter(tab)
	tab.Go(s.url + "/jobs")
	tab.Await(rows + ` === 4`)
	tab.Go(s.url + "/jobs?state=failed&code=decoder_crashed&model=maskfleet+3")
	tab.Await(rows + ` === 3`)
	if hidden := browser.Eval[bool](tab, `document.querySelector('[data-chosen]').hidden`); !hidden {
		t.Error("buttons are shown although nothing is chosen")
	}
	tab.Click("[data-choose-page]")
	tab.Await(`document.querySelector('[data-chosen-words]').textContent === '3 chosen'`)
	tab.Click(`[formaction="/jobs/retry"]`)
	tab.Await(`document.querySelector('h1').textContent === 'Try 3 photos again?'`)
	tab.Click(`[name="confirmed"]`)
	tab.Await(said("3 photos wait for another try"))
	if !strings.HasSuffix(tab.Address(), "/jobs?code=decoder_crashed&model=maskfleet+3&state=failed") {
		t.Errorf("the person is led to %s", tab.Address())
	}
	if p := o.find(failed[0].ID); p.Row.State != job.StateQueued {
		t.Errorf("the photo is %s", p.Row.State)
	}
	s.audited(t, "jobs.retry", "admin", "page", failed[0].ID.String())

	tab.Go(s.url + "/jobs?id=" + waits.ID.String())
	tab.Await(`document.querySelector('h1').textContent.includes('example.com')`)
	tab.Click(`[action="/jobs/cancel"] button`)
	tab.Click(`[name="confirmed"]`)
	tab.Await(said("1 photo is cancelled"))
	if p := o.find(waits.ID); p.Row.State != job.StateCancelled {
		t.Errorf("the photo is %s", p.Row.State)
	}
	tab.Await(`document.querySelector('.timeline').textContent.includes('Cancelled by a person')`)
	if found := tab.Problems(); len(found) > 0 {
		t.Errorf("the browser complains of %q", found)
	}
}

// TestJobsOfferWhatCanBeDone: what failed is not offered to be cancelled, and a page that
// has nothing to do says so; of an item of a batch the page has its beginning, too.
func TestJobsOfferWhatCanBeDone(t *testing.T) {
	t.Parallel()
	s := openSite(t)
	o := s.operator(t)
	failed := s.accept(t)
	o.fail(failed, job.CodeFetchStatus, "3")
	waits := s.accept(t)
	s.doors.Queue.Announce(t.Context(), failed.ID, jobqueue.StageFailed, nil) // by nobody before
	tab := browser.Open(t)
	s.enter(tab)
	tab.Go(s.url + "/jobs")
	shown := func(path string) string {
		return `!document.querySelector('[formaction="` + path + `"]').checkVisibility() === `
	}
	tab.Click(`input[value="` + failed.ID.String() + `"]`)
	tab.Await(shown("/jobs/retry") + `false && ` + shown("/jobs/cancel") + `true`)
	tab.Click(`input[value="` + waits.ID.String() + `"]`)
	tab.Await(shown("/jobs/retry") + `false && ` + shown("/jobs/cancel") + `false`)
	tab.Click(`input[value="` + failed.ID.String() + `"]`)
	tab.Await(shown("/jobs/retry") + `true && ` + shown("/jobs/cancel") + `false`)
	if looks := browser.Eval[string](tab, `getComputedStyle(document.querySelector('td.name a')).color`); looks == browser.Eval[string](tab, `getComputedStyle(document.querySelector('h1')).color`) {
		t.Error("a link looks like plain text")
	}
	tab.Go(s.url + "/jobs?state=failed")
	tab.Await(`document.querySelector('[formaction="/jobs/retry"]') && !document.querySelector('[formaction="/jobs/cancel"]')`)

	token := s.somebody(t, "olga", "operator")
	text, err := io.ReadAll(s.ask(t, http.MethodPost, "/jobs/cancel", token, url.Values{"id": {failed.ID.String()}}.Encode()).Body)
	if err != nil || !strings.Contains(string(text), "Nothing to cancel") || strings.Contains(string(text), "Cancel 0 photos") {
		t.Errorf("what failed is cancelled by: %s, %v", text, err)
	}
	eventually(t, "the timeline begins with the row", func() bool {
		page := s.page(t, "/jobs/"+failed.ID.String(), token)
		return strings.Contains(page, "<strong>Accepted</strong>") && strings.Contains(page, "begun "+failed.CreatedAt.Format("2006-01-02 15:04:05")+" UTC")
	})
	page := s.page(t, "/jobs/"+failed.ID.String(), token)
	if strings.Contains(page, "<summary>As a command</summary>") || !strings.Contains(page, "As a command: try it again") {
		t.Error("two commands are told by the same words")
	}
}

func TestAllJobsThatMatchAreCancelled(t *testing.T) {
	t.Parallel()
	s := openSite(t)
	o := s.operator(t)
	for range 3 {
		s.accept(t)
	}
	token := s.somebody(t, "olga", "operator")
	form := url.Values{"all": {"yes"}, "match": {"lane=interactive"}}
	asked := s.ask(t, http.MethodPost, "/jobs/cancel", token, form.Encode())
	body, err := io.ReadAll(asked.Body)
	if err != nil || !strings.Contains(string(body), "Cancel 3 photos?") || !strings.Contains(string(body), "maskfleet.jobs.cancel") {
		t.Fatalf("asked with %d: %s, %v", asked.StatusCode, body, err)
	}
	form.Set("confirmed", "yes")
	if done := s.ask(t, http.MethodPost, "/jobs/cancel", token, form.Encode()); done.StatusCode != http.StatusSeeOther {
		t.Fatalf("cancelling gives %d", done.StatusCode)
	}
	var list struct{ Photos []struct{ State job.State } }
	o.does("jobs.list", `{"lane":"interactive"}`, &list)
	for _, p := range list.Photos {
		if p.State != job.StateCancelled {
			t.Errorf("a photo is %s", p.State)
		}
	}
	o.isTold("invalid_request", "jobs.cancel", `{"match":{}}`)
	o.isTold("invalid_request", "jobs.cancel", `{"match":{"limit":1}}`)
	o.isTold("invalid_request", "jobs.cancel", `{"match":{"lane":"batch","before":"01a22c1a-26f1-7af9-af65-8abdf29cd973"}}`)
	o.isTold("invalid_request", "jobs.cancel", `{"match":{"state":"failed"}}`)
	o.isTold("invalid_request", "jobs.list", `{"name":"gate"}`)
	o.isTold("invalid_request", "jobs.list", `{"code":"unknown_code"}`)
}

func TestPicturesComeFromS3Only(t *testing.T) {
	t.Parallel()
	s := openSite(t)
	o := s.operator(t)
	p := s.accept(t)
	fence := o.claim(p)
	key := "2026-01-02/" + p.ID.String() + "/1/annotated"
	var picture bytes.Buffer
	if err := png.Encode(&picture, image.NewGray(image.Rect(0, 0, 40, 30))); err != nil {
		t.Fatal(err)
	}
	if err := s.doors.Images.Put(t.Context(), key, "image/jpeg", picture.Bytes()); err != nil {
		t.Fatal(err)
	}
	if done, err := s.doors.Store.Finish(t.Context(), p.ID, fence, job.Result{AnnotatedKey: key, Width: 40, Height: 30}); err != nil || !done {
		t.Fatalf("finishing: %v, %v", done, err)
	}
	tab := browser.Open(t)
	s.enter(tab)
	tab.Go(s.url + "/jobs/" + p.ID.String())
	tab.Await(`document.querySelector('.shown img').naturalWidth === 40`)
	if found := tab.Problems(); len(found) > 0 {
		t.Errorf("the browser complains of %q", found)
	}
	token := s.somebody(t, "vera", "viewer")
	led := s.ask(t, http.MethodGet, "/jobs/"+p.ID.String()+"/image/annotated", token, "")
	if at := led.Header.Get("Location"); led.StatusCode != http.StatusFound || strings.HasPrefix(at, s.url) || !strings.Contains(at, key) {
		t.Errorf("got %d to %q", led.StatusCode, at)
	}
	if none := s.ask(t, http.MethodGet, "/jobs/"+p.ID.String()+"/image/original", token, ""); none.StatusCode != http.StatusNotFound {
		t.Errorf("a picture that is not there gives %d", none.StatusCode)
	}
}

func TestAJobIsShownWithoutTheBroker(t *testing.T) {
	t.Parallel()
	s := openSite(t)
	p := s.accept(t)
	token := s.somebody(t, "vera", "viewer")
	s.nats.Stop()
	shown := s.ask(t, http.MethodGet, "/jobs/"+p.ID.String(), token, "")
	body, err := io.ReadAll(shown.Body)
	if err != nil || shown.StatusCode != http.StatusOK || !strings.Contains(string(body), "NATS does not answer") {
		t.Errorf("got %d, %v", shown.StatusCode, err)
	}
	if strings.Contains(string(body), `action="/jobs/cancel"`) {
		t.Error("a viewer is offered a button")
	}
}

// TestAnotherTryInVainIsNotUrged: where another try ends the same way, the page says so,
// its button is a quiet one, and before it is done its page names photo and cause.
func TestAnotherTryInVainIsNotUrged(t *testing.T) {
	t.Parallel()
	s := openSite(t)
	o := s.operator(t)
	upload, err := job.NewID()
	if err != nil {
		t.Fatal(err)
	}
	cut := s.acceptAs(t, func(p *job.Photo) { p.Source, p.Link, p.Filename = job.SourceSigned, upload.String(), "cut.jpg" })
	o.fail(cut, job.CodeDecodeFailed, "3")
	away := s.accept(t)
	o.fail(away, job.CodeFetchStatus, "3")

	token := s.somebody(t, "olga", "operator")
	says := func(page string, is bool, words ...string) {
		t.Helper()
		for _, w := range words {
			if strings.Contains(page, w) != is {
				t.Errorf("that the page says %q is %t", w, !is)
			}
		}
	}
	page := s.page(t, "/jobs/"+cut.ID.String(), token)
	says(page, true, "Another try ends the same way", `<button class="button"><svg`, "The file as it was uploaded is kept", "<dt>Upload</dt>", "/image/upload")
	says(page, false, "Nothing is stored", `<button class="button main">`, "<dt>Link</dt>")
	page = s.page(t, "/jobs/"+away.ID.String(), token)
	says(page, true, `<button class="button main">`, "each try fetches it from its link")
	says(page, false, "Another try ends the same way")

	sure := func(form url.Values) string {
		t.Helper()
		text, err := io.ReadAll(s.ask(t, http.MethodPost, "/jobs/retry", token, form.Encode()).Body)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	says(sure(url.Values{"id": {cut.ID.String()}}), true, "Try 1 photo again?", "cut.jpg", "decode_failed: The photo is damaged", "Another try ends the same way")
	says(sure(url.Values{"id": {cut.ID.String(), away.ID.String()}}), true, "Try 2 photos again?", "1 photo, decode_failed", "1 photo, fetch_status", "Another try of 1 photo of these ends the same way")

	taken := s.ask(t, http.MethodGet, "/jobs/"+cut.ID.String()+"/image/upload", token, "")
	if to := taken.Header.Get("Location"); taken.StatusCode != http.StatusFound || !strings.Contains(to, upload.String()) || !strings.Contains(to, "attachment") {
		t.Errorf("the upload is got with %d from %q", taken.StatusCode, to)
	}
	eventually(t, "Failures urges one of the two groups", func() bool {
		page := s.page(t, "/failures", token)
		return strings.Count(page, `<a class="button main"`) == 1 && strings.Count(page, "Another try ends the same way") == 1
	})
}
