package manager_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
	"time"

	"maskfleet/manager"
	"maskfleet/pkg/account"
	"maskfleet/pkg/cache"
	"maskfleet/pkg/httpserver"
	"maskfleet/pkg/imagestore"
	"maskfleet/pkg/job"
	"maskfleet/pkg/jobqueue"
	"maskfleet/pkg/jobstore"
	"maskfleet/pkg/telemetry"
	"maskfleet/pkg/testenv"
	"maskfleet/pkg/webui/browser"
)

const password = "correct horse battery"

// site is a manager of a test with an administrator and a user, on a database, a bucket,
// a broker and a Redis of its own.
type site struct {
	url   string
	doors manager.Doors
	redis *testenv.RedisServer
	nats  *testenv.Server
}

// openSite opens one; change may change its settings.
func openSite(t testing.TB, change ...func(*manager.Config)) *site {
	t.Helper()
	s := &site{redis: testenv.NewRedis(t)}
	cfg := manager.Config{
		HTTP:  httpserver.Config{Listen: "127.0.0.1:0", StreamRecheck: 50 * time.Millisecond},
		MySQL: testenv.MariaDB(t), Cache: s.redis.Config(), Images: testenv.S3(t),
		Reading: manager.ReadingConfig{
			LiveInterval: 200 * time.Millisecond, CountInterval: 400 * time.Millisecond, TotalInterval: 600 * time.Millisecond, ReadTimeout: 2 * time.Second,
			StaleAfter: 2 * time.Second, SessionGrace: time.Minute,
			CatchUpTime: 3 * time.Second, CatchUpOnce: time.Second,
		},
		QueueLimit: 50_000,
		OpenWait:   20 * time.Second,
	}
	_, s.nats = testenv.NATS(t)
	cfg.Queue = s.nats.As("manager")
	tel := telemetry.New(telemetry.Config{}, io.Discard)
	tel.Log = testenv.Logger(t)
	for _, do := range change {
		do(&cfg)
	}
	s.open(t, cfg, tel)
	testenv.User(t, s.doors.Store, "admin", account.RoleAdministrator, password)
	testenv.User(t, s.doors.Store, "ann", account.RoleUser, password)
	return s
}

// open opens the doors twice: the manager's own, and the test's to act through.
func (s *site) open(t testing.TB, cfg manager.Config, tel *telemetry.Telemetry) {
	t.Helper()
	var err error
	if s.doors.Store, err = jobstore.Open(t.Context(), cfg.MySQL); err != nil {
		t.Fatal(err)
	}
	if s.doors.Queue, err = jobqueue.Open(t.Context(), s.nats.As(testenv.NATSTester), tel.Log); err != nil {
		t.Fatal(err)
	}
	s.doors.Cache = cache.Open(cfg.Cache)
	if s.doors.Images, err = imagestore.Open(t.Context(), cfg.Images); err != nil {
		t.Fatal(err)
	}
	if err := s.doors.Queue.Ensure(t.Context()); err != nil {
		t.Fatal(err)
	}
	service, shut, err := manager.Open(t.Context(), cfg, tel)
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.url = "http://" + ln.Addr().String()
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- service.Serve(ctx, ln) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("the manager ended with %v", err)
		}
		shut()
		s.doors.Queue.Close()
		_, _ = s.doors.Store.Close(), s.doors.Cache.Close()
	})
}

func (s *site) enter(tab *browser.Tab) {
	tab.Go(s.url + "/")
	tab.Type("#username", "admin")
	tab.Type("#password", password)
	tab.Click("main button")
	tab.See("#live")
}

func (s *site) accept(t testing.TB) job.Photo {
	t.Helper()
	return s.acceptAs(t, func(*job.Photo) {})
}

// acceptAs accepts a photo that change may change.
func (s *site) acceptAs(t testing.TB, change func(*job.Photo)) job.Photo {
	t.Helper()
	id, err := job.NewID()
	if err != nil {
		t.Fatal(err)
	}
	p := job.Photo{
		ID: id, OwnerID: testenv.Owner(t, s.doors.Store), Lane: job.LaneInteractive, Source: job.SourceLink, Link: "https://example.com/a.jpg",
		CreatedAt: time.Now().UTC().Truncate(time.Microsecond), Row: job.Accepted(),
	}
	change(&p)
	if err := s.doors.Store.Accept(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	return p
}

// figure is JavaScript that is true when a figure shows the value.
func figure(name, value string) string {
	return `document.querySelector('[data-live="` + name + `"]').textContent.trim().startsWith('` + value + `')`
}

func TestOverviewIsLive(t *testing.T) {
	t.Parallel()
	s := openSite(t)
	tab := browser.Open(t)
	s.enter(tab)
	tab.Await(figure("Waiting", "0"))
	tab.Await(`document.body.textContent.includes('No worker is alive')`)
	tab.Await(figure("A photo sent now", "no worker"))

	photo := s.accept(t)
	if err := s.doors.Queue.Publish(t.Context(), job.NewMessage(photo, 1)); err != nil {
		t.Fatal(err)
	}
	worker := jobqueue.Worker{ID: "worker-1", Version: "0.1.0", Slots: 4, Busy: 3, Model: job.Model{Name: "maskfleet", Version: "1"}, StartedAt: time.Now()}
	if err := s.doors.Queue.PutWorker(t.Context(), worker); err != nil {
		t.Fatal(err)
	}
	o := s.operator(t)
	failed, again := s.accept(t), s.accept(t)
	o.fail(failed, job.CodeDecoderCrashed, "3")
	o.fail(again, job.CodeDecoderCrashed, "3")
	if _, err := s.doors.Store.Redrive(t.Context(), again.ID, 0, ""); err != nil { // its letter stays in DEAD
		t.Fatal(err)
	}
	o.fail(again, job.CodeDecoderCrashed, "3")
	tab.Await(figure("Waiting", "1"))
	tab.Await(figure("Slots busy", "3 of 4"))
	if same := browser.Eval[bool](tab, `document.querySelector('[data-key="queued"] td.number').textContent === document.querySelector('[data-live="Waiting"]').textContent`); !same {
		t.Error("two numbers of what waits are on one page")
	}
	tab.Await(figure("A photo sent now", "1\u202fs"))
	tab.Await(figure("Failures", "2")) // photos, as the page Failures has it, however many letters they have
	tab.Await(`document.querySelector('[data-key="worker-1"] .badge').textContent === 'Busy'`)
	tab.Await(`document.querySelector('[data-key="interactive"]').children[1].textContent === '1'`)

	tab.Click("#pause")
	s.accept(t)
	tab.Await(`document.getElementById('pulse').textContent.startsWith('Paused') && document.querySelector('.live.stale')`)
	if !browser.Eval[bool](tab, figure("Waiting", "1")) {
		t.Error("a paused page went on")
	}
	tab.Click("#pause")
	tab.Await(figure("Waiting", "2"))
	if found := tab.Problems(); len(found) > 0 {
		t.Errorf("the browser complains of %q", found)
	}
}

func TestOverviewOutlivesItsParts(t *testing.T) {
	t.Parallel()
	mysql, s3 := testenv.NewMariaDB(t), testenv.NewS3(t)
	s := openSite(t, func(c *manager.Config) { c.MySQL, c.Images = mysql.Database(t), s3.Bucket(t) })
	s.accept(t)
	tab := browser.Open(t)
	s.enter(tab)
	tab.Await(figure("Waiting", "1"))

	mysql.Kill()
	tab.Await(`document.querySelector('[data-key="MySQL"]') && document.querySelector('.panel.stale')`)
	s.redis.Kill()
	tab.Await(`document.querySelector('[data-key="Redis"]')`)
	s3.Kill()
	tab.Await(`document.querySelector('[data-key="S3"]') && document.querySelector('[data-key="S3-answers"] .badge.failed')`)
	s.nats.Stop()
	tab.Await(`document.querySelector('[data-key="NATS"]')`)
	if !browser.Eval[bool](tab, figure("Waiting", "1")) {
		t.Error("the last good number is gone")
	}
	tab.Go(s.url + "/") // who was here may come back meanwhile
	tab.See(`[data-key="MySQL"]`)
	tab.Await(figure("Waiting", "1"))

	mysql.Start(t)
	s.redis.Start(t)
	s3.Start(t)
	s.nats.Start()
	tab.Await(`!document.querySelector('.troubles').children.length && !document.querySelector('#live .stale')`)
	if found := tab.Problems(); len(found) > 0 {
		t.Errorf("the browser complains of %q", found)
	}
}

func TestManagerLetsOnlyRolesIn(t *testing.T) {
	t.Parallel()
	s := openSite(t)
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Jar: jar}
	logIn := func(username string) (int, string) {
		return read(t, client, http.MethodPost, s.url+"/login", url.Values{"username": {username}, "password": {password}})
	}
	if status, body := logIn("ann"); status != http.StatusForbidden || !strings.Contains(body, "may not enter this site") {
		t.Errorf("a user is answered with %d", status)
	}
	if status, body := read(t, client, http.MethodGet, s.url+"/", nil); !strings.Contains(body, `name="password"`) {
		t.Errorf("a refused user then gets %d without the log-in page", status)
	}
	if status, body := logIn("admin"); status != http.StatusOK || !strings.Contains(body, "Overview") {
		t.Errorf("an administrator is answered with %d", status)
	}
}

func TestManagerRefusesASessionOfTheDoor(t *testing.T) {
	t.Parallel()
	s := openSite(t)
	accounts := account.New(s.doors.Store, s.doors.Cache, account.Config{})
	ann, err := s.doors.Store.FindUserByName(t.Context(), "ann")
	if err != nil {
		t.Fatal(err)
	}
	token, err := accounts.StartSession(t.Context(), ann)
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]int{"/": http.StatusForbidden, "/events/overview": http.StatusForbidden, "/healthz": http.StatusOK} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Cookie", "maskfleet_session="+token)
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		if response.StatusCode != want {
			t.Errorf("a user's session gets %d for %s, want %d", response.StatusCode, path, want)
		}
	}
}

func TestOverviewEndsWithTheSession(t *testing.T) {
	t.Parallel()
	s := openSite(t)
	accounts := account.New(s.doors.Store, s.doors.Cache, account.Config{})
	admin, err := s.doors.Store.FindUserByName(t.Context(), "admin")
	if err != nil {
		t.Fatal(err)
	}
	token, err := accounts.StartSession(t.Context(), admin)
	if err != nil {
		t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+"/events/overview", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Cookie", "maskfleet_session="+token)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	events := bufio.NewReader(response.Body)
	for range 3 { // it goes on while the session does
		for line := ""; line != "event: page\n"; {
			if line, err = events.ReadString('\n'); err != nil {
				t.Fatalf("got %d and a stream that ended with %v", response.StatusCode, err)
			}
		}
	}
	if err := accounts.EndSession(t.Context(), token); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(events); err != nil {
		t.Errorf("the stream ended with %v, want its proper end", err)
	}
}

func read(t *testing.T, client *http.Client, method, address string, form url.Values) (int, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Accept", "text/html")
	if form != nil {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(body)
}
