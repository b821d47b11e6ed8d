package manager_test

import (
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"maskfleet/manager"
	"maskfleet/pkg/account"
	"maskfleet/pkg/job"
	"maskfleet/pkg/jobqueue"
	"maskfleet/pkg/jobstore"
	"maskfleet/pkg/webui/browser"

	"github.com/google/uuid"
)

// tell has a worker, the door beside it and the fleet told of, twice, so that there is
// something to draw.
func (s *site) tell(t *testing.T, instance string) {
	t.Helper()
	began := time.Now().UTC().Truncate(time.Microsecond)
	worker := jobqueue.Worker{ID: instance, Instance: instance, Version: "0.1.0", Slots: 2, Busy: 1, Model: job.Model{Name: "maskfleet", Version: "1"}, StartedAt: began}
	if err := s.doors.Queue.PutWorker(t.Context(), worker); err != nil {
		t.Fatal(err)
	}
	go func() { // alive as long as the test is
		for t.Context().Err() == nil {
			select {
			case <-t.Context().Done():
			case <-time.After(2 * time.Second):
				_ = s.doors.Queue.PutWorker(t.Context(), worker)
			}
		}
	}()
	for i := range int64(2) {
		reports := []error{
			s.doors.Queue.ReportWorker(t.Context(), jobqueue.WorkerReading{Worker: instance, Instance: instance, StartedAt: began, CPU: 0.4, Slots: 2, Busy: 1, Jobs: 3 * i, BusySeconds: 0.6 * float64(i)}),
			s.doors.Queue.ReportDoor(t.Context(), jobqueue.DoorReading{Instance: instance, StartedAt: began, Requests: 7 * i, Ready: true}),
			s.doors.Queue.ReportFleet(t.Context(), jobqueue.FleetReading{StartedAt: began, Waiting: 12, InFlight: 2, Ready: 2, Starting: 1, Target: 3}),
		}
		for _, err := range reports {
			if err != nil {
				t.Fatal(err)
			}
		}
	}
}

func (s *site) decide(t *testing.T, size, target int, reason string) {
	t.Helper()
	id, err := uuid.NewV7()
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now().UTC()
	err = s.doors.Store.WriteDecision(t.Context(), jobstore.ScalingDecision{
		ID: id, BegunAt: now, EndedAt: now, Ticks: 1, Policy: "cpu-ratio", Version: 4, Size: size, Target: target, Decided: "cpu", Reason: reason, Document: []byte(`{}`),
	})
	if err != nil {
		t.Fatal(err)
	}
}

// confirm presses the button that leads to the page of what would be done, and then the
// one on that page.
func confirm(tab *browser.Tab, button string, words ...string) {
	tab.Click(button)
	tab.See(`button[name="confirmed"]`)
	for _, word := range words {
		tab.Await(`document.querySelector('main').textContent.includes(` + quoted(word) + `)`)
	}
	tab.Click(`button[name="confirmed"]`)
}

// rewrite puts a text in the place of a field's.
func rewrite(tab *browser.Tab, field, text string) {
	browser.Eval[string](tab, `document.querySelector('`+field+`').value = ''`)
	tab.Type(field, text)
}

func quoted(word string) string { return "'" + strings.ReplaceAll(word, "'", `\'`) + "'" }

func TestFleetIsSeenAndSteered(t *testing.T) {
	t.Parallel()
	s := openSite(t, func(cfg *manager.Config) { cfg.EntryURL = "http://127.0.0.1:8080" })
	scaler := s.scale(t)
	s.tell(t, "i-0a77c2")
	s.decide(t, 2, 3, "3, because the CPU is at 84 %")
	tab := browser.Open(t)
	s.enter(tab)
	tab.Go(s.url + "/fleet")
	tab.Await(`document.querySelector('a[href="http://127.0.0.1:8080"]')`)
	tab.Await(`document.querySelector('[data-key="i-0a77c2"]').textContent.includes('1 of 2')`)
	tab.Await(`document.querySelector('[data-key="i-0b77c2"]').textContent.includes('Target.FailedHealthChecks')`)
	tab.Await(`document.querySelector('[data-key="i-0a77c2"] .trend').textContent.includes('40')`)       // CPU
	tab.Await(`document.querySelector('[data-key="i-0a77c2"] .photo-time').textContent.includes('200')`) // ms: 3 photos in 0.6 s
	tab.Await(`document.querySelector('.figures').textContent.includes('200\u202fms a photo')`)
	tab.Await(`document.querySelectorAll('.chart canvas').length === 2`)
	tab.Await(`document.querySelector('[data-chart="photos"] .u-legend').textContent.includes('12')`)
	tab.Await(`document.querySelector('[data-chart="instances"] .read').textContent.includes('the CPU is at 84')`)
	tab.Await(`document.querySelector('[data-chart="instances"] .numbers').textContent.includes('Grow from 2 to 3')`)

	// By keyboard, too, and all charts of the page at the same moment.
	tab.Await(`document.querySelector('[data-chart="photos"] .u-legend .u-value').textContent === 'Now'`)
	browser.Eval[bool](tab, `document.querySelector('[data-chart="instances"] .plot').dispatchEvent(new KeyboardEvent('keydown', {key: 'ArrowLeft'}))`)
	tab.Await(`/\d/.test(document.querySelector('[data-chart="instances"] .u-legend .u-value').textContent)`)
	tab.Await(`document.querySelector('[data-chart="photos"] .u-legend .u-value').textContent === document.querySelector('[data-chart="instances"] .u-legend .u-value').textContent`)

	tab.Click(`form[action="/fleet/grow"] button`)
	tab.See(`#for`)
	tab.Await(`document.querySelector('main').textContent.includes('from 3 to 4 instances') && document.querySelector('main').textContent.includes('To be launched')`)
	tab.Type("#why", "the open day")
	tab.Click(`button[name="confirmed"]`)
	tab.Await(`document.querySelector('.notice.good').textContent.includes('4 instances')`)
	if !scaler.did("grow by admin via page") {
		t.Error("nothing was grown under the person's name")
	}
	if why, term := scaler.lastAsked("why"), scaler.lastAsked("for"); why != `"the open day"` || term != `"1h"` {
		t.Errorf("asked for %v because %v", term, why)
	}
	scaler.pinned(1)
	tab.Await(`document.querySelector('form[action="/fleet/shrink"] button').disabled`) // it would change nothing
	scaler.pinned(4)
	tab.Await(`!document.querySelector('form[action="/fleet/shrink"] button').disabled`)
	tab.Await(`document.querySelector('[data-key="override"]').textContent.includes('Pinned to 4 instances by bob: the open day')`)

	tab.Click(`a[href="/fleet/size"]`)
	tab.See("#size")
	rewrite(tab, "#size", "12")
	tab.Type("#why", "a fair")
	confirm(tab, "main button.main", "That is outside of the policy", `"for":"1h"`)
	tab.Await(`location.pathname === '/fleet'`)
	if size, why := scaler.lastAsked("size"), scaler.lastAsked("why"); !scaler.did("resize by admin via page") || size != "12" || why != `"a fair"` {
		t.Errorf("asked for %v because %v", size, why)
	}

	tab.Go(s.url + "/fleet?role=starting")
	tab.Await(`document.querySelectorAll('.table.fleet tbody tr').length === 1`)
	tab.Await(`document.querySelector('.pulse.beating')`)
	if n := browser.Eval[int](tab, `document.querySelectorAll('.table.fleet tbody tr').length`); n != 1 {
		t.Errorf("a live page forgets its filter: %d rows", n)
	}
	tab.Go(s.url + "/fleet")
	first := `document.querySelector('.table.fleet tbody tr').dataset.key === `
	tab.Await(first + `'i-0a77c2'`)
	tab.Click(`.table.fleet th:nth-child(9) a`) // the oldest first
	tab.Await(`location.search === '?sort=age' && ` + first + `'i-0c77c2'`)
	tab.Await(`(() => { const top = document.querySelector('.table.fleet').getBoundingClientRect().top; return top >= 0 && top < innerHeight / 2; })()`) // still at the list
	tab.Await(`document.querySelector('.pulse.beating') && ` + first + `'i-0c77c2'`)
	tab.Click(`.table.fleet th:nth-child(9) a`)
	tab.Await(`location.search === '?sort=-age' && ` + first + `'i-0a77c2'`)
	confirmTyped(tab, `form[action="/fleet/terminate-all"] button`, "terminate all")
	tab.Await(`location.pathname === '/fleet'`)
	if !scaler.did("terminate-all by admin via page") {
		t.Error("not all were terminated")
	}
	if found := tab.Problems(); len(found) > 0 {
		t.Errorf("the browser complains of %q", found)
	}
}

// confirmTyped is confirm where words must be typed.
func confirmTyped(tab *browser.Tab, button, words string) {
	tab.Click(button)
	tab.See("#typed")
	tab.Type("#typed", words)
	tab.Await(`!document.querySelector('button[name="confirmed"]').disabled`)
	tab.Click(`button[name="confirmed"]`)
}

func TestInstanceIsSeenDrainedAndDestroyed(t *testing.T) {
	t.Parallel()
	s := openSite(t)
	scaler := s.scale(t)
	s.tell(t, "i-0a77c2")
	tab := browser.Open(t)
	s.enter(tab)
	tab.Go(s.url + "/workers/i-0a77c2")
	tab.Await(`location.pathname === '/fleet/i-0a77c2'`)
	for _, word := range []string{"ami-0a5c", "operators", "203.0.113.7", "maskfleet:pool", "SLOTS=2"} {
		tab.Await(`document.querySelector('main').textContent.includes('` + word + `')`)
	}
	if browser.Eval[bool](tab, `document.body.textContent.includes('hush')`) {
		t.Error("a secret of the user data is shown")
	}
	tab.Await(`document.querySelectorAll('.chart canvas').length === 2`)
	tab.Await(`document.querySelector('[data-chart="cpu"] .u-legend').textContent.includes('40')`)
	tab.Click(`form[action="/fleet/drain"] button`)
	for _, words := range []string{"finishes what it has in hand", "Photos in its hands", "Launched in its place", `{"instance":"i-0a77c2"}`} {
		tab.Await(`document.querySelector('main').textContent.includes('` + words + `')`)
	}
	tab.Type("#why", "its disk is full")
	tab.Click(`button[name="confirmed"]`)
	tab.Await(`document.querySelector('.notice.good').textContent.includes('Another takes its place')`)
	if why := scaler.lastAsked("why"); why != `"its disk is full"` {
		t.Errorf("drained because %v", why)
	}
	confirm(tab, `form[action="/fleet/destroy"] button`, "ends at once")
	tab.Await(`document.querySelector('.notice.good').textContent.includes('is being ended')`)
	if !scaler.did("drain by admin via page") || !scaler.did("destroy by admin via page") {
		t.Error("not both were done")
	}
	// One that ends while somebody looks at it is said to be gone.
	tab.Go(s.url + "/fleet/i-0c77c2")
	tab.Await(`document.querySelector('.pulse.beating')`)
	scaler.ended("i-0c77c2")
	tab.Await(`document.querySelector('#live').textContent.includes('The scaler does not name it')`)

	// And of one that people sent away, when, why and by whom it ended.
	s.doors.Queue.AnnounceFleet(t.Context(), jobqueue.EventRetiring, "i-0c77c2", object{"at": time.Now().Add(-time.Minute), "by": "bob", "why": "its disk is full"})
	s.doors.Queue.AnnounceFleet(t.Context(), jobqueue.EventEnded, "i-0c77c2", object{"at": time.Now()})
	for _, word := range []string{"Ended", "by bob: its disk is full", "Began to leave"} {
		tab.Await(`document.querySelector('[data-key="steer"]').textContent.includes('` + word + `')`)
	}
	tab.Go(s.url + "/fleet/i-0c77c2")
	tab.Await(`document.querySelector('[data-key="steer"]').textContent.includes('by bob: its disk is full') && !document.querySelector('form[action="/fleet/drain"]')`)
	tab.See(`a[href="/jobs?state=failed&worker=i-0c77c2"]`)
	tab.Click(`a[href="/fleet/i-0c77c2/history?span=24h"]`)
	tab.Await(`location.search === '?span=24h'`)
	if found := tab.Problems(); len(found) > 0 {
		t.Errorf("the browser complains of %q", found)
	}
	if response := s.ask(t, http.MethodGet, "/fleet/i-none", s.somebody(t, "vera", account.RoleViewer), ""); response.StatusCode != http.StatusNotFound {
		t.Errorf("an instance that is not there gets %d", response.StatusCode)
	}
}

// TestPageAfterAnActionShowsIt: under the words that something was done no page shows how
// it was before, although the scaler takes a moment to follow.
func TestPageAfterAnActionShowsIt(t *testing.T) {
	t.Parallel()
	s := openSite(t, func(cfg *manager.Config) { // readings that come late by themselves
		cfg.Reading.LiveInterval, cfg.Reading.CountInterval, cfg.Reading.StaleAfter = 20*time.Second, 20*time.Second, time.Minute
		// On a busy machine, too.
		cfg.Reading.CatchUpTime, cfg.Reading.CatchUpOnce, cfg.Reading.ReadTimeout = 2*time.Minute, time.Minute, time.Minute
	})
	s.scale(t)
	s.takesOrders(t, "i-0a77c2")
	token := s.somebody(t, "olga", account.RoleAdministrator)
	see := func(path string) string {
		body, err := io.ReadAll(s.ask(t, http.MethodGet, path, token, "").Body)
		if err != nil {
			t.Fatal(err)
		}
		return string(body)
	}
	for _, step := range []struct {
		action string
		form   url.Values
		page   string
		shows  string
	}{
		{"/fleet/grow", nil, "/fleet", `<dd data-live="Wanted">4`},
		{"/fleet/resize", url.Values{"size": {"7"}}, "/fleet", `<dd data-live="Wanted">7`},
		{"/scaling/pause", nil, "/fleet", `<dd data-live="Wanted">3`},
		{"/workers/drain", url.Values{"worker": {"i-0a77c2"}, "why": {"its disk is full"}}, "/fleet/i-0a77c2", "by olga: its disk is full"},
		{"/workers/resume", url.Values{"worker": {"i-0a77c2"}}, "/fleet/i-0a77c2", `action="/workers/drain"`},
		{"/fleet/drain", url.Values{"instance": {"i-0b77c2"}}, "/fleet/i-0b77c2", `<span class="badge draining">Draining</span>`},
		{"/queue/lanes/pause", url.Values{"lane": {"batch"}, "for": {"10m"}}, "/queue", `action="/queue/lanes/resume"`},
	} {
		form := url.Values{"confirmed": {"yes"}}
		for name, values := range step.form {
			form[name] = values
		}
		response := s.ask(t, http.MethodPost, step.action, token, form.Encode(), "Sec-Fetch-Site", "same-origin")
		if response.StatusCode != http.StatusSeeOther {
			t.Errorf("%s gets %d", step.action, response.StatusCode)
		}
		if body := see(step.page); !strings.Contains(body, step.shows) {
			t.Errorf("after %s the page does not show %s", step.action, step.shows)
		}
	}
}

// TestFleetWithoutScaler: the page says so, and shows who is alive.
func TestFleetWithoutScaler(t *testing.T) {
	t.Parallel()
	s := openSite(t)
	s.tell(t, "i-0a77c2")
	tab := browser.Open(t)
	s.enter(tab)
	tab.Go(s.url + "/fleet")
	tab.Await(`document.querySelector('[data-key="silent"]')`)
	tab.Await(`document.querySelector('[data-key="i-0a77c2"]').textContent.includes('Outside')`)
	tab.Click(`form[action="/fleet/grow"] button`)
	tab.Await(`document.querySelector('.notice.bad .words').textContent.includes('Nobody answers')`)
	tab.Go(s.url + "/scaling")
	tab.Await(`document.querySelector('[data-key="silent"]')`)
	if found := tab.Problems(); len(found) > 0 {
		t.Errorf("the browser complains of %q", found)
	}
}

// TestWordsMustBeTypedWithoutScript: what the page's script would prevent, the server
// does.
func TestWordsMustBeTypedWithoutScript(t *testing.T) {
	t.Parallel()
	s := openSite(t)
	scaler := s.scale(t)
	s.accept(t)
	token := s.somebody(t, "olga", account.RoleAdministrator)
	wrong := url.Values{"confirmed": {"yes"}, "what": {"everything"}, "typed": {"erase"}}
	s.ask(t, http.MethodPost, "/erase", token, wrong.Encode(), "Sec-Fetch-Site", "same-origin")
	if all, err := s.doors.Store.ListErasures(t.Context(), 1); err != nil || len(all) != 0 {
		t.Errorf("%d erasures have begun (%v) although the words were not typed", len(all), err)
	}
	for _, path := range []string{"/fleet/terminate-all", "/fleet/stop-manager"} {
		form := url.Values{"confirmed": {"yes"}, "typed": {"terminate"}}
		response := s.ask(t, http.MethodPost, path, token, form.Encode(), "Sec-Fetch-Site", "same-origin")
		if response.StatusCode != http.StatusSeeOther {
			t.Errorf("%s gets %d", path, response.StatusCode)
		}
	}
	if scaler.did("terminate-all by olga via page") {
		t.Error("all were terminated although the words were not typed")
	}
}

// TestStopTheManager: all are terminated, the page says so, and the manager ends.
func TestStopTheManager(t *testing.T) {
	t.Parallel()
	s := openSite(t)
	scaler := s.scale(t)
	tab := browser.Open(t)
	s.enter(tab)
	tab.Go(s.url + "/fleet")
	confirmTyped(tab, `form[action="/fleet/stop-manager"] button`, "stop the manager")
	tab.Await(`document.querySelector('h1').textContent === 'The manager has stopped'`)
	if !scaler.did("terminate-all by admin via page") {
		t.Error("not all were terminated")
	}
	eventually(t, "the manager has ended", func() bool {
		connection, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
		if err == nil {
			_ = connection.Close()
		}
		return err != nil
	})
}
