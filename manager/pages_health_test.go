package manager_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"maskfleet/manager"
	"maskfleet/pkg/jobqueue"
	"maskfleet/pkg/jobstore"
	"maskfleet/pkg/webui/browser"
)

// alive has two workers, one with a clock that is slow, and somebody who acts for all.
func (s *site) alive(ctx context.Context) error {
	_, _, err := s.doors.Queue.AcquireLease(ctx, "dispatcher", "i-door 01a22409-d83e-71d1-97b4-ca20f1d8298e")
	return errors.Join(err,
		s.doors.Queue.ReportDoor(ctx, jobqueue.DoorReading{Instance: "i-door", Dispatched: &jobqueue.Deed{At: time.Now().Add(-20 * time.Second), Photos: 2000}}),
		s.doors.Queue.ReportDoor(ctx, jobqueue.DoorReading{Instance: "i-other", Erased: &jobqueue.Deed{At: time.Now(), Photos: 356}, Dispatched: &jobqueue.Deed{At: time.Now().Add(-time.Hour), Photos: 7}}),
		s.doors.Queue.PutWorker(ctx, jobqueue.Worker{ID: "w-fine", SaidAt: time.Now()}),
		s.doors.Queue.PutWorker(ctx, jobqueue.Worker{ID: "w-late", SaidAt: time.Now().Add(-5 * time.Minute)}))
}

func TestHealthSaysWhatAnswersAndWhatDoesNot(t *testing.T) {
	t.Parallel()
	monitor := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/jsz" {
			_, _ = w.Write([]byte(`{"server_id":"N1","config":{"max_storage":4,"sync_interval":10000000000,"sync_always":true}}`))
		}
	}))
	t.Cleanup(monitor.Close)
	s := openSite(t, func(cfg *manager.Config) { cfg.NATSMonitorURL = monitor.URL })
	s.operator(t)
	for _, err := range []error{
		s.doors.Store.WriteSweep(t.Context(), jobstore.Sweep{Days: 2, Objects: 300, Orphans: 1, Missing: 4}),
		s.alive(t.Context()),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	go func() {
		for {
			select {
			case <-t.Context().Done():
				return
			case <-time.After(2 * time.Second):
				_ = s.alive(t.Context()) // what does not come is seen as missing
			}
		}
	}()
	tab := browser.Open(t)
	s.enter(tab)
	tab.Go(s.url + "/health")
	tab.Await(`document.querySelector('[data-key="store-MySQL"]').textContent.includes('MariaDB')`)
	tab.Await(`document.querySelector('[data-key="store-Redis"]').textContent.includes('Version')`)
	tab.Await(`document.querySelector('[data-key="maskfleet-manager"] .badge').textContent === 'Answers'`)
	tab.Await(`document.querySelector('[data-key="maskfleet-worker"] .badge').textContent === 'Nobody answers'`)
	tab.Await(`document.querySelector('[data-key="JOBS"]')`)
	tab.Await(`document.querySelector('[data-key="disk-MySQL"]').textContent.includes('innodb_flush_log_at_trx_commit is 2')`)
	tab.Await(`document.querySelector('[data-key="disk-Redis"]').textContent.includes('appendonly')`)
	tab.Await(`document.querySelector('[data-key="disk-NATS"]').textContent.includes('Every message')`)
	tab.Await(`document.querySelector('[data-key="clock-MySQL"]').textContent.includes('the same')`)
	tab.Await(`document.querySelector('[data-key="clock-Workers"] .badge').textContent.includes('behind')`)
	tab.Await(`document.querySelector('[data-key="clock-Workers"]').textContent.includes('w-late')`)
	tab.Await(`document.querySelector('[data-key="duty-eraser"]').textContent.includes('1 removed that no row names, 4 missing')`)
	tab.Await(`document.querySelector('[data-key="duty-dispatcher"] .badge').textContent === 'Somebody does'`)
	tab.Await(`document.querySelector('[data-key="duty-dispatcher"] a[href="/fleet/i-door"]').textContent === 'i-door'`)
	tab.Await(`document.querySelector('[data-key="duty-dispatcher"]').textContent.includes('gave 2\u202f000 photos to the queue')`)
	tab.Await(`document.querySelector('[data-key="duty-eraser"]').textContent.includes('erased 356 photos; swept')`)
	tab.Await(`document.querySelector('[data-key="duty-scaler"] .badge').textContent === 'Nobody does'`)

	s.redis.Freeze() // a server that keeps silent is away, too
	tab.Await(`document.querySelector('[data-key="store-Redis"] .badge.failed')`)
	if other := browser.Eval[bool](tab, `Boolean(document.querySelector('[data-key="store-MySQL"] .badge.idle'))`); !other {
		t.Error("another store turned grey with it")
	}
	tab.Go(s.url + "/health") // the page says so, and does not fail
	tab.Await(`document.querySelector('[data-key="Redis"]')`)
	s.redis.Thaw()
	tab.Await(`document.querySelector('[data-key="store-Redis"] .badge.idle')`)
	if found := tab.Problems(); len(found) > 0 {
		t.Errorf("the browser complains of %q", found)
	}
}
