package manager_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"maskfleet/pkg/account"
	"maskfleet/pkg/jobqueue"
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

// takesOrders has a worker that drains and resumes as it is told.
func (s *site) takesOrders(t *testing.T, worker string) {
	t.Helper()
	server, err := command.Open(s.nats.As("worker"), s.doors.Store, s.doors.Queue, testenv.Logger(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	alive := jobqueue.Worker{ID: worker, Instance: worker, Version: "0.1.0", Slots: 2, Busy: 1, StartedAt: time.Now()}
	var mu sync.Mutex // guards alive
	order := func(name string) command.Command {
		return command.Change(name, "A test's.", object{}, object{}, func(ctx context.Context, call command.Call, q object) (object, error) {
			mu.Lock()
			defer mu.Unlock()
			if !call.DryRun {
				alive.Draining, alive.Drain, alive.DrainBy, alive.DrainWhy = false, "", "", ""
				if name == "drain" {
					why, _ := q["why"].(string)
					alive.Draining, alive.Drain, alive.DrainBy, alive.DrainWhy = true, jobqueue.DrainCommand, call.By.Name, why
				}
				if err := s.doors.Queue.PutWorker(ctx, alive); err != nil {
					return nil, err
				}
			}
			state := map[bool]string{true: "draining", false: "working"}[alive.Draining]
			return object{"worker": worker, "state": state, "slots": 2, "busy": 1, "drain": alive.Drain, "drain_by": alive.DrainBy, "drain_why": alive.DrainWhy}, nil
		})
	}
	withdraw, err := server.Offer(command.Service{Name: "maskfleet-worker", Does: "Stands in for a worker.", Area: "worker", Member: worker}, order("drain"), order("resume"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(withdraw)
	go func() { // alive as long as the test is
		for t.Context().Err() == nil {
			mu.Lock()
			_ = s.doors.Queue.PutWorker(t.Context(), alive)
			mu.Unlock()
			select {
			case <-t.Context().Done():
			case <-time.After(2 * time.Second):
			}
		}
	}()
}

// TestWorkerIsDrainedAndKept: who drains one from a page finds there the way back.
func TestWorkerIsDrainedAndKept(t *testing.T) {
	t.Parallel()
	s := openSite(t)
	s.scale(t)
	s.takesOrders(t, "i-0a77c2")
	tab := browser.Open(t)
	s.enter(tab)
	tab.Go(s.url + "/fleet/i-0a77c2")
	tab.Await(`document.querySelector('#does-keep-i-0a77c2').textContent.startsWith('nats req maskfleet.worker.i-0a77c2.drain ')`)
	tab.Click(`form[action="/workers/drain"] button`)
	tab.See(`button[name="confirmed"]`)
	tab.Await(`document.querySelector('main').textContent.includes('until somebody resumes it')`)
	tab.Await(`document.querySelector('main .facts').textContent.includes('Photos in its hands1')`)
	tab.Await(`document.querySelector('#does').textContent === "nats req maskfleet.worker.i-0a77c2.drain '{}'"`)
	tab.Type("#why", "its disk is full")
	tab.Click(`button[name="confirmed"]`)
	tab.Await(`location.pathname === '/fleet/i-0a77c2' && document.querySelector('.notice.good').textContent.includes('waits to be resumed')`)
	tab.Await(`document.querySelector('[data-key="steer"]').textContent.includes('by admin: its disk is full')`)
	tab.Await(`document.querySelector('#does-resume-i-0a77c2').textContent === "nats req maskfleet.worker.i-0a77c2.resume '{}'"`)
	tab.Await(`!document.querySelector('form[action="/workers/drain"]')`)

	confirm(tab, `form[action="/workers/resume"] button`, "takes photos again", "by admin: its disk is full")
	tab.Await(`document.querySelector('.notice.good').textContent.includes('takes photos again')`)
	tab.Await(`document.querySelector('form[action="/workers/drain"]') && !document.querySelector('[data-key="steer"]').textContent.includes('by admin')`)
	if found := tab.Problems(); len(found) > 0 {
		t.Errorf("the browser complains of %q", found)
	}
	records, err := s.doors.Store.ListAudit(t.Context(), 10)
	if err != nil || len(records) != 2 || records[1].Action != "worker.drain" || records[1].Actor != "admin" || records[1].Subject != "i-0a77c2" {
		t.Errorf("on record are %+v, %v", records, err)
	}

	viewer := s.somebody(t, "vera", account.RoleViewer)
	page := s.ask(t, http.MethodGet, "/fleet/i-0a77c2", viewer, "")
	if body, err := io.ReadAll(page.Body); err != nil || strings.Contains(string(body), "/workers/drain") {
		t.Errorf("a viewer is offered a drain (%v)", err)
	}
	for _, name := range []string{"i-0a77c2.>", "*", ""} { // it becomes a part of a subject
		form := url.Values{"confirmed": {"yes"}, "worker": {name}}
		s.ask(t, http.MethodPost, "/workers/drain", s.somebody(t, "olga-"+fmt.Sprint(len(name)), account.RoleOperator), form.Encode(), "Sec-Fetch-Site", "same-origin")
	}
	if records, err = s.doors.Store.ListAudit(t.Context(), 10); err != nil || len(records) != 2 {
		t.Errorf("a worker whose name is a pattern was drained: %+v, %v", records, err)
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
