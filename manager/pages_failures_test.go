package manager_test

import (
	"bufio"
	"encoding/json"
	"net/http"
	"testing"

	"maskfleet/pkg/job"
	"maskfleet/pkg/jobqueue"
	"maskfleet/pkg/webui/browser"
)

func TestFailuresAreTriedAgainExportedAndPutAside(t *testing.T) {
	t.Parallel()
	s := openSite(t)
	o := s.operator(t)
	var crashed []job.Photo
	for range 3 {
		p := s.accept(t)
		o.fail(p, job.CodeDecoderCrashed, "3")
		crashed = append(crashed, p)
	}
	o.fail(s.accept(t), job.CodeInferenceTimeout, "4")

	tab := browser.Open(t)
	s.enter(tab)
	tab.Go(s.url + "/failures")
	tab.Await(`document.querySelectorAll('.failure').length === 2`)
	tab.Click(`.failure a.main`)
	tab.Await(`document.querySelector('h1').textContent === 'Try decoder_crashed again'`)
	tab.Await(`document.getElementById('limit').value = '1'`)
	tab.Click("main button.main")
	tab.Await(`document.querySelector('h1').textContent === 'Try 1 photo again?'`)
	tab.Click(`[name="confirmed"]`)
	tab.Await(said("1 photo is tried again"))
	if p := o.find(crashed[0].ID); p.Row.State != job.StateQueued || p.Lane != job.LaneCanary {
		t.Errorf("the oldest is %s in %s", p.Row.State, p.Lane)
	}
	s.audited(t, "jobs.dead.redrive", "admin", "page", `"canary":true`)

	token := s.somebody(t, "vera", "viewer")
	exported := s.ask(t, http.MethodGet, "/failures/export?reason=decoder_crashed&model=maskfleet+3", token, "")
	lines := bufio.NewScanner(exported.Body)
	n := 0
	for ; lines.Scan(); n++ {
		var letter struct {
			Code  job.Code
			Cause string
		}
		if err := json.Unmarshal(lines.Bytes(), &letter); err != nil || letter.Code != job.CodeDecoderCrashed || letter.Cause == "" {
			t.Errorf("a line is %s, %v", lines.Bytes(), err)
		}
	}
	if n != 2 {
		t.Errorf("%d lines were exported, want 2", n)
	}

	tab.Click(`[action="/failures/discard"] button`)
	tab.Await(`document.querySelector('h1').textContent === 'Put 2 failures aside?'`)
	tab.Click(`[name="confirmed"]`)
	tab.Await(said("2 failures are put aside"))
	tab.Await(`document.querySelectorAll('.failure').length === 1`)

	tab.Go(s.url + "/audit?action=jobs.dead.&via=page")
	tab.Await(`document.querySelectorAll('.audit li').length === 2`)
	tab.Await(`document.querySelector('.audit li summary').textContent.includes('2 photos, decoder_crashed')`)
	tab.Click(".audit li summary")
	tab.Await(`document.querySelector('.audit li details').open && document.querySelector('.audit li').textContent.includes('"discarded":2')`)
	tab.Go(s.url + "/audit?actor=operator")
	tab.Await(`document.querySelector('.empty')`)
	tab.Go(s.url + "/audit?from=yesterday")
	tab.Await(`document.querySelector('.notice.bad')`)
	if found := tab.Problems(); len(found) > 0 {
		t.Errorf("the browser complains of %q", found)
	}
}

// TestFailuresAreLive: who looks at the page sees failures come and a trial go on
// without asking for it again, and the same number as on Overview.
func TestFailuresAreLive(t *testing.T) {
	t.Parallel()
	s := openSite(t)
	o := s.operator(t)
	tab := browser.Open(t)
	s.enter(tab)
	tab.Go(s.url + "/failures")
	tab.Await(`document.querySelector('.empty h2, .empty strong, .empty')?.textContent.includes('No failures')`)
	tab.Await(`(window.stayed = true)`)

	crashed, other := s.accept(t), s.accept(t)
	o.fail(crashed, job.CodeDecoderCrashed, "3")
	o.fail(other, job.CodeDecoderCrashed, "3")
	tab.Await(`document.querySelector('.failure h2')?.textContent.includes('2 photos') && document.querySelectorAll('.samples li').length === 2`)

	if err := s.doors.Queue.PutWorker(t.Context(), jobqueue.Worker{ID: "w-1", Slots: 2}); err != nil {
		t.Fatal(err)
	}
	o.does("jobs.dead.redrive", `{"reason":"decoder_crashed","limit":1,"worker":"w-1"}`, &struct{}{})
	tab.Await(`document.querySelector('#trial')?.textContent.includes('1 photo of 1 still to come')`)
	tab.Await(`document.querySelector('.tried a[href="/jobs/` + crashed.ID.String() + `"]')?.textContent === 'https://example.com/a.jpg'`)
	tab.Await(`document.querySelectorAll('.samples li').length === 1`)
	fence := o.claim(crashed)
	if _, err := s.doors.Store.Finish(t.Context(), crashed.ID, fence, job.Result{Model: job.Model{Name: "maskfleet", Version: "4"}}); err != nil {
		t.Fatal(err)
	}
	tab.Await(`document.querySelector('#trial').textContent.includes('The one photo succeeded')`)
	if !browser.Eval[bool](tab, `window.stayed === true`) {
		t.Error("the page was loaded anew")
	}
	tab.Go(s.url + "/")
	tab.Await(figure("Failures", "1"))
	if found := tab.Problems(); len(found) > 0 {
		t.Errorf("the browser complains of %q", found)
	}
}
