package manager_test

import (
	"context"
	"net/http"
	"testing"

	"maskfleet/pkg/account"
	"maskfleet/pkg/jobqueue/command"
	"maskfleet/pkg/testenv"
	"maskfleet/pkg/webui/browser"
)

// logs has a worker tell these lines.
func (s *site) logs(t *testing.T, worker string, lines ...string) {
	t.Helper()
	server, err := command.Open(s.nats.As("worker"), s.doors.Store, s.doors.Queue, testenv.Logger(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	withdraw, err := server.Offer(command.Service{Name: "maskfleet-worker", Does: "Stands in for a worker.", Area: "worker", Member: worker},
		command.Read("log", "A test's.", anything{}, object{}, func(context.Context, anything) (object, error) {
			return object{"worker": worker, "lines": lines}, nil
		}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(withdraw)
}

func TestLogOfAWorker(t *testing.T) {
	t.Parallel()
	s := openSite(t)
	s.scale(t)
	s.tell(t, "i-0a77c2")
	s.logs(t, "i-0a77c2",
		`{"time":"2026-03-01T12:30:00Z","level":"INFO","msg":"worker started","service":"inference-worker","num_slots":2}`,
		`{"time":"2026-03-01T12:31:00Z","level":"WARN","msg":"photo not fetched","err":"<b>404</b>"}`, `no JSON at all`)
	tab := browser.Open(t)
	s.enter(tab)
	tab.Go(s.url + "/fleet/i-0a77c2")
	tab.Click(`a[href="/workers/i-0a77c2/log"]`)
	tab.See(".log")
	tab.Await(`document.querySelectorAll('.log li').length === 3 && document.querySelector('.log li').textContent.includes('no JSON at all')`)
	tab.Await(`document.querySelector('.log li:nth-child(2)').textContent.includes('err=<b>404</b>')`)
	tab.Await(`document.querySelector('#does-log').textContent === "nats req maskfleet.worker.i-0a77c2.log '{\"lines\":200}'"`)
	tab.Click(`a[href="/workers/i-0a77c2/log?level=warn"]`)
	tab.Await(`document.querySelectorAll('.log li').length === 1`)
	tab.Go(s.url + "/workers/nobody/log")
	tab.Await(`document.querySelector('.notice.bad').textContent.includes('Nobody answers')`)
	if found := tab.Problems(); len(found) > 0 {
		t.Errorf("the browser complains of %q", found)
	}
	viewer := s.somebody(t, "vera", account.RoleViewer)
	if response := s.ask(t, http.MethodGet, "/workers/i-0a77c2/log", viewer, ""); response.StatusCode != http.StatusForbidden {
		t.Errorf("a viewer who asks for a log gets %d", response.StatusCode)
	}
	admin := s.somebody(t, "olga", account.RoleOperator)
	if response := s.ask(t, http.MethodGet, "/workers/i-0a77c2.%3E/log", admin, ""); response.StatusCode != http.StatusNotFound {
		t.Errorf("a worker whose name is a pattern gets %d", response.StatusCode)
	}
}

func TestHoursOfAnInstance(t *testing.T) {
	t.Parallel()
	s := openSite(t)
	s.scale(t)
	tab := browser.Open(t)
	s.enter(tab)
	tab.Go(s.url + "/fleet/i-0a77c2")
	tab.Click(`a[href="/fleet/i-0a77c2/history?span=3h"]`)
	tab.Await(`document.querySelectorAll('.chart canvas').length === 2`)
	tab.Await(`document.querySelector('[data-chart="cpu"] .numbers').textContent.includes('52')`)
	tab.Await(`document.querySelector('[data-chart="rates"] .numbers').textContent.includes('60')`)
	tab.Click(`a[href="/fleet/i-0a77c2/history?span=24h"]`)
	tab.Await(`document.querySelector('#does-history').textContent.includes('"for":"24h"')`)
	if found := tab.Problems(); len(found) > 0 {
		t.Errorf("the browser complains of %q", found)
	}
}
