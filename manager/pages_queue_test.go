package manager_test

import (
	"strings"
	"testing"
	"time"

	"maskfleet/pkg/job"
	"maskfleet/pkg/jobstore"
	"maskfleet/pkg/webui/browser"
)

// said is JavaScript that is true when the page tells of something done.
func said(words string) string {
	return `document.querySelector('.notice.good')?.textContent.includes('` + words + `')`
}

func TestQueueIsPausedAndResumedByPage(t *testing.T) {
	t.Parallel()
	s := openSite(t)
	tab := browser.Open(t)
	s.enter(tab)
	tab.Go(s.url + "/queue")
	tab.Click(`[data-key="batch"] .act a`)
	tab.See("#reason")
	if line := browser.Eval[string](tab, `document.getElementById('does').textContent`); line != `nats req maskfleet.lanes.pause '{"lane":"batch","for":"30m"}'` {
		t.Errorf("the page's command is %q", line)
	}
	tab.Type("#reason", "the store's move")
	if line := browser.Eval[string](tab, `document.getElementById('does').textContent`); line != `nats req maskfleet.lanes.pause '{"lane":"batch","for":"30m","reason":"the store'\''s move"}'` {
		t.Errorf("the page's command is %q once something is typed", line)
	}
	tab.Click("main button.main")
	tab.Await(said("The lane batch gives out nothing until"))
	tab.Await(`document.querySelector('[data-key="batch"] .badge').textContent === 'Paused'`)
	tab.Await(`document.querySelector('[data-key="batch"]').textContent.includes("by admin: the store's move")`)
	tab.Go(s.url + "/")
	tab.Await(`document.querySelector('[data-key="lane-batch"]').textContent.includes("by admin: the store's move")`)
	if err := s.doors.Queue.PauseLane(t.Context(), job.LaneBatch, time.Now().Add(time.Hour)); err != nil { // as the broker's own tools do
		t.Fatal(err)
	}
	tab.Await(`document.querySelector('[data-key="lane-batch"]').textContent.includes("by somebody at the broker itself")`)
	tab.Go(s.url + "/queue")
	tab.Click(`[data-key="batch"] .act button`)
	tab.Await(said("The lane batch gives out photos again"))
	tab.Await(`document.querySelector('[data-key="batch"] .badge').textContent === 'Open'`)

	tab.Go(s.url + "/queue/pause")
	tab.Type("#reason", "closed <b>today</b>")
	tab.Click("main button.main")
	tab.Await(`document.querySelector('#live').textContent.includes('by admin: closed <b>today</b>')`)
	tab.Click(`[action="/queue/intake/resume"] button`)
	tab.Await(said("The front doors take photos again"))
	if found := tab.Problems(); len(found) > 0 {
		t.Errorf("the browser complains of %q", found)
	}
	s.audited(t, "lanes.pause", "admin", "page", `"reason":"the store's move"`)
	s.audited(t, "intake.resume", "admin", "page", "")
}

// TestQueueAddsUp: what waits is shown by lane, in all, and of it what MySQL alone has.
func TestQueueAddsUp(t *testing.T) {
	t.Parallel()
	s := openSite(t)
	p := s.accept(t)
	if err := s.doors.Queue.Publish(t.Context(), job.NewMessage(p, 1)); err != nil {
		t.Fatal(err)
	}
	if _, err := s.doors.Store.Confirm(t.Context(), p.ID, 1); err != nil {
		t.Fatal(err)
	}
	s.accept(t)
	s.acceptAs(t, func(p *job.Photo) { p.Lane = job.LaneCanary })
	tab := browser.Open(t)
	s.enter(tab)
	tab.Go(s.url + "/queue")
	shows := func(lane, label, value string) {
		t.Helper()
		tab.Await(`document.querySelector('[data-key="` + lane + `"] [data-label="` + label + `"]').textContent === '` + value + `'`)
	}
	shows("interactive", "Waiting", "2")
	shows("interactive", "Pending", "1")
	shows("batch", "Waiting", "0")
	shows("batch", "Oldest waits", "\u2013")
	shows("canary", "Waiting", "1")
	shows("all", "Waiting", "3")
	shows("all", "Pending", "1")
	tab.Await(`document.querySelector('.facts.wide').innerText.replace(/\s+/g, ' ').includes('not on the broker 2 of them in no batch 2 of them items of batches 0')`)
	if oldest := browser.Eval[string](tab, `document.querySelector('[data-key="canary"] [data-label="Oldest waits"]').textContent`); oldest == "\u2013" {
		t.Error("nobody says how long the oldest canary waits")
	}
	if found := tab.Problems(); len(found) > 0 {
		t.Errorf("the browser complains of %q", found)
	}
}

// audited fails the test unless the audit log has such a record.
func (s *site) audited(t *testing.T, action, actor, via, request string) {
	t.Helper()
	records, err := s.doors.Store.ListAudit(t.Context(), 100)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range records {
		if r.Action == action && r.Actor == actor && r.Detail["via"] == via && strings.Contains(r.Detail["request"], request) {
			return
		}
	}
	t.Errorf("nobody recorded %s by %s: %+v", action, actor, latest(records))
}

func latest(records []jobstore.Audit) []jobstore.Audit { return records[:min(len(records), 5)] }
