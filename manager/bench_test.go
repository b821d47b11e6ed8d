package manager_test

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"testing"
	"time"

	"maskfleet/manager"
	"maskfleet/pkg/account"
	"maskfleet/pkg/job"
	"maskfleet/pkg/jobqueue"
	"maskfleet/pkg/jobstore"
	"maskfleet/pkg/testenv"
	"maskfleet/pkg/webui/browser"
)

var (
	manyRows    = flag.Int("rows", 20_000, "photos with which pages are measured")
	manyWorkers = flag.Int("workers", 50, "instances with which pages are measured")
)

// crowd has so many instances, each with a worker that is alive and readings of the
// last minutes.
func (s *site) crowd(b *testing.B, in *standIn, n int) {
	b.Helper()
	began := time.Now().UTC().Truncate(time.Microsecond)
	var workers []jobqueue.Worker
	in.mu.Lock()
	of := in.instances[0]
	in.instances = nil
	for i := range n {
		id := fmt.Sprintf("i-%017x", i)
		one := object{}
		for name, value := range of {
			one[name] = value
		}
		one["id"] = id
		in.instances = append(in.instances, one)
		workers = append(workers, jobqueue.Worker{
			ID: id, Instance: id, Version: "0.1.0", Slots: 2, Busy: i % 3, Model: job.Model{Name: "maskfleet", Version: "3"}, StartedAt: began, CPU: 0.5,
		})
	}
	in.mu.Unlock()
	say := func() error {
		for _, w := range workers {
			if err := s.doors.Queue.PutWorker(b.Context(), w); err != nil {
				return err
			}
		}
		return nil
	}
	if err := say(); err != nil {
		b.Fatal(err)
	}
	for i := range int64(3) {
		for _, w := range workers {
			r := jobqueue.WorkerReading{Worker: w.ID, Instance: w.ID, StartedAt: began, CPU: 0.4, Slots: 2, Busy: 1, Jobs: 3 * i}
			if err := s.doors.Queue.ReportWorker(b.Context(), r); err != nil {
				b.Fatal(err)
			}
		}
	}
	var alive sync.WaitGroup
	ctx, end := context.WithCancel(b.Context())
	alive.Go(func() {
		for ctx.Err() == nil {
			select {
			case <-ctx.Done():
			case <-time.After(4 * time.Second):
				_ = say()
			}
		}
	})
	b.Cleanup(func() { end(); alive.Wait() })
}

// measured are the pages' addresses, by a word for each.
func measured(p job.Photo, before job.ID, username string) map[string]string {
	group := url.Values{"reason": {"decoder_crashed"}, "model": {"maskfleet 3"}}.Encode()
	return map[string]string{
		"overview": "/", "queue": "/queue", "fleet": "/fleet", "fleet-ready": "/fleet?status=ready",
		"instance": "/fleet/" + fmt.Sprintf("i-%017x", 7), "scaling": "/scaling", "erase": "/erase", "health": "/health",
		"audit": "/audit", "audit-found": "/audit?action=jobs.&via=page",
		"jobs": "/jobs", "jobs-older": "/jobs?before=" + before.String(), "jobs-failed": "/jobs?state=failed", "jobs-lane": "/jobs?lane=batch&state=queued",
		"jobs-canary": "/jobs?lane=canary&state=succeeded", "jobs-worker": "/jobs?worker=worker-7", "jobs-worker-failed": "/jobs?worker=worker-7&state=failed",
		"jobs-list": "/jobs?category=all_masked", "jobs-code": "/jobs?code=decoder_crashed", "jobs-owner": "/jobs?owner=" + url.QueryEscape(username),
		"job": "/jobs/" + p.ID.String(), "failures": "/failures", "redrive": "/failures/redrive?" + group,
	}
}

// BenchmarkPages says how long the server takes for each page, and how soon a browser
// paints the first of them:
// go test ./manager -run '^$' -bench Pages -benchtime 10x -timeout 60m -args -rows 1000000 -workers 1000.
func BenchmarkPages(b *testing.B) {
	var p job.Photo
	s := openSite(b, func(c *manager.Config) {
		c.Reading = manager.ReadingConfig{
			LiveInterval: time.Second, CountInterval: time.Second, TotalInterval: 10 * time.Second, ReadTimeout: 3 * time.Second,
			StaleAfter: 3 * time.Second, SessionGrace: time.Minute, CatchUpTime: 3 * time.Second, CatchUpOnce: time.Second,
		}
		store, err := jobstore.Open(b.Context(), c.MySQL)
		if err != nil {
			b.Fatal(err)
		}
		defer store.Close()
		p = (&site{doors: manager.Doors{Store: store}}).accept(b)
		testenv.ManyPhotos(b, c.MySQL, *manyRows)
	})
	s.crowd(b, s.scale(b), *manyWorkers)
	token := s.somebody(b, "olga", account.RoleOperator)
	newest, err := s.doors.Store.SearchPhotos(b.Context(), jobstore.Search{Limit: 200})
	if err != nil {
		b.Fatal(err)
	}
	names, err := s.doors.Store.Usernames(b.Context(), []job.ID{p.OwnerID})
	if err != nil {
		b.Fatal(err)
	}
	time.Sleep(15 * time.Second) // every reading of the board has been taken
	pages := measured(p, newest[len(newest)-1].ID, names[p.OwnerID])
	for _, name := range slices.Sorted(maps.Keys(pages)) {
		b.Run(name, func(b *testing.B) {
			var took []time.Duration
			for b.Loop() {
				began := time.Now()
				response := s.ask(b, http.MethodGet, pages[name], token, "")
				if _, err := io.Copy(io.Discard, response.Body); err != nil || response.StatusCode != http.StatusOK {
					b.Fatalf("%s is answered with %d, %v", pages[name], response.StatusCode, err)
				}
				took = append(took, time.Since(began))
			}
			slices.SortFunc(took, cmp.Compare)
			b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "ms/median")
			b.ReportMetric(float64(took[len(took)-1].Microseconds())/1000, "ms/worst")
		})
	}
	b.Run("paint", func(b *testing.B) {
		tab := browser.Open(b)
		s.enter(tab)
		for _, page := range []string{"/", "/jobs", "/fleet", "/failures"} {
			tab.Go(s.url + page)
			const painted = `performance.getEntriesByName('first-contentful-paint').length`
			tab.Await(painted)
			b.ReportMetric(browser.Eval[float64](tab, `performance.getEntriesByName('first-contentful-paint')[0].startTime`), "ms/paint:"+page)
		}
	})
}
