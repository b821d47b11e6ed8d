package httpserver_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"maskfleet/pkg/httpserver"
	"maskfleet/pkg/problem"
	"maskfleet/pkg/telemetry"
)

const photoLimit = 10 << 20

// site is a served application of a test.
type site struct {
	url    string
	tel    *telemetry.Telemetry
	health *httpserver.Health
	stop   func()     // begins the stop
	ended  chan error // of Serve
}

func serve(t *testing.T, linger time.Duration, routes func(*fiber.App)) *site {
	t.Helper()
	return serveWith(t, httpserver.Config{}, linger, routes)
}

func serveWith(t *testing.T, cfg httpserver.Config, linger time.Duration, routes func(*fiber.App)) *site {
	t.Helper()
	s := &site{tel: telemetry.New(telemetry.Config{LogLevel: "error"}, io.Discard), health: &httpserver.Health{}, ended: make(chan error, 1)}
	cfg.TrustedProxies, cfg.WriteTimeout = []string{"127.0.0.0/8"}, 2*time.Second
	app := httpserver.New(cfg, s.tel, s.health, httpserver.RenderJSON)
	routes(app)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.url = "http://" + ln.Addr().String()
	ctx, cancel := context.WithCancel(t.Context())
	s.stop = cancel
	go func() { s.ended <- httpserver.Serve(ctx, app, ln, s.health, linger, nil); close(s.ended) }()
	t.Cleanup(func() { cancel(); <-s.ended })
	return s
}

func (s *site) do(t *testing.T, method, path string, body io.Reader, header map[string]string) (*http.Response, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, s.url+path, body)
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range header {
		request.Header.Set(name, value)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response, string(text)
}

func TestClientReadsItsAnswerToARefusedBody(t *testing.T) {
	t.Parallel()
	s := serve(t, 0, func(app *fiber.App) {
		app.Post("/refuse", func(*fiber.Ctx) error { return problem.New(503, problem.CodeQueueFull, "Later.") })
		app.Post("/read", func(c *fiber.Ctx) error {
			_, err := httpserver.ReadBody(c, photoLimit)
			return err
		})
	})
	big := bytes.Repeat([]byte("x"), 11<<20)
	cases := []struct {
		name, path string
		body       io.Reader
		status     int
	}{
		{"unread", "/refuse", bytes.NewReader(big), 503},
		{"over the limit", "/read", bytes.NewReader(big), 413},
		{"over the limit without a length", "/read", io.MultiReader(bytes.NewReader(big)), 413},
		{"within the limit", "/read", bytes.NewReader(big[:photoLimit]), 200},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if response, text := s.do(t, http.MethodPost, c.path, c.body, nil); response.StatusCode != c.status {
				t.Errorf("got %d %s, want %d", response.StatusCode, text, c.status)
			}
		})
	}
}

func TestProblemsHideTheirCause(t *testing.T) {
	t.Parallel()
	s := serve(t, 0, func(app *fiber.App) {
		app.Get("/panics", func(*fiber.Ctx) error { panic("secret") })
		app.Get("/fails", func(*fiber.Ctx) error { return errors.New("secret") })
		app.Get("/away", func(*fiber.Ctx) error { return problem.Unavailable(errors.New("secret")) })
	})
	cases := []struct {
		method, path, code string
		status             int
	}{
		{http.MethodGet, "/panics", problem.CodeInternal, 500},
		{http.MethodGet, "/fails", problem.CodeInternal, 500},
		{http.MethodGet, "/away", problem.CodeUnavailable, 503},
		{http.MethodGet, "/nowhere", problem.CodeNotFound, 404},
		{http.MethodPost, "/fails", problem.CodeMethodNotAllowed, 405},
	}
	for _, c := range cases {
		t.Run(c.method+c.path, func(t *testing.T) {
			t.Parallel()
			response, text := s.do(t, c.method, c.path, nil, nil)
			var got problem.Document
			if err := json.Unmarshal([]byte(text), &got); err != nil {
				t.Fatalf("%q: %v", text, err)
			}
			if response.StatusCode != c.status || got.Code != c.code || got.RequestID == "" || strings.Contains(text, "secret") {
				t.Errorf("got %d %s, want %d %s", response.StatusCode, text, c.status, c.code)
			}
			if kind := response.Header.Get("Content-Type"); kind != problem.ContentType {
				t.Errorf("the content type is %q", kind)
			}
			if after := response.Header.Get("Retry-After"); (after != "") != (c.status == 503) {
				t.Errorf("Retry-After is %q", after)
			}
		})
	}
}

func TestMetricsNameTheRouteAndNeverThePath(t *testing.T) {
	t.Parallel()
	s := serve(t, 0, func(app *fiber.App) {
		app.Get("/photos/:id", func(c *fiber.Ctx) error { return c.SendString(c.Params("id")) })
	})
	for _, path := range []string{"/photos/1", "/photos/2", "/x/3", "/x/4"} {
		s.do(t, http.MethodGet, path, nil, nil)
	}
	want := `
# HELP maskfleet_http_requests_total Requests answered, by method, route template and status.
# TYPE maskfleet_http_requests_total counter
maskfleet_http_requests_total{method="GET",route="/photos/:id",status="200"} 2
maskfleet_http_requests_total{method="GET",route="unmatched",status="404"} 2
`
	if err := testutil.GatherAndCompare(s.tel.Registry, strings.NewReader(want), "maskfleet_http_requests_total"); err != nil {
		t.Error(err)
	}
}

func TestSameOrigin(t *testing.T) {
	t.Parallel()
	s := serve(t, 0, func(app *fiber.App) {
		app.All("/change", httpserver.SameOrigin, func(c *fiber.Ctx) error { return c.SendString("done") })
	})
	cases := []struct {
		name, method string
		header       map[string]string
		status       int
	}{
		{"no browser", http.MethodPost, nil, 200},
		{"same origin", http.MethodPost, map[string]string{"Sec-Fetch-Site": "same-origin"}, 200},
		{"another site", http.MethodPost, map[string]string{"Sec-Fetch-Site": "cross-site"}, 403},
		{"a sibling host", http.MethodPost, map[string]string{"Sec-Fetch-Site": "same-site"}, 403},
		{"old browser, same origin", http.MethodPost, map[string]string{"Origin": s.url}, 200},
		{"old browser, another site", http.MethodPost, map[string]string{"Origin": "https://evil.example"}, 403},
		{"a link from another site", http.MethodGet, map[string]string{"Sec-Fetch-Site": "cross-site"}, 200},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if response, _ := s.do(t, c.method, "/change", nil, c.header); response.StatusCode != c.status {
				t.Errorf("got %d, want %d", response.StatusCode, c.status)
			}
		})
	}
}

func TestClientIPBelievesOnlyProxies(t *testing.T) {
	t.Parallel()
	s := serve(t, 0, func(app *fiber.App) {
		app.Get("/ip", func(c *fiber.Ctx) error { return c.SendString(httpserver.ClientIP(c)) })
	})
	for given, want := range map[string]string{
		"":                                 "127.0.0.1",
		"203.0.113.9":                      "203.0.113.9",
		"10.9.9.9, 203.0.113.9":            "203.0.113.9",
		"203.0.113.9, 127.0.0.5":           "203.0.113.9",
		"nonsense":                         "127.0.0.1",
		"<script>, 203.0.113.9, 127.0.0.2": "203.0.113.9",
	} {
		if _, got := s.do(t, http.MethodGet, "/ip", nil, map[string]string{"X-Forwarded-For": given}); got != want {
			t.Errorf("X-Forwarded-For %q gave %q, want %q", given, got, want)
		}
	}
}

func TestForm(t *testing.T) {
	t.Parallel()
	s := serve(t, 0, func(app *fiber.App) {
		app.Post("/form", func(c *fiber.Ctx) error {
			values, err := httpserver.Form(c)
			if err != nil {
				return err
			}
			return c.SendString(values.Get("username"))
		})
	})
	multi := func(write func(*multipart.Writer)) (io.Reader, string) {
		var body bytes.Buffer
		w := multipart.NewWriter(&body)
		write(w)
		w.Close()
		return &body, w.FormDataContentType()
	}
	field, fieldType := multi(func(w *multipart.Writer) { w.WriteField("username", "ann") })
	file, fileType := multi(func(w *multipart.Writer) { w.CreateFormFile("username", "a.jpg") })
	cases := []struct {
		name, kind string
		body       io.Reader
		status     int
		want       string
	}{
		{"urlencoded", "application/x-www-form-urlencoded", strings.NewReader("username=ann"), 200, "ann"},
		{"multipart", fieldType, field, 200, "ann"},
		{"a file", fileType, file, 400, ""},
		{"nothing", "", nil, 200, ""},
		{"JSON", "application/json", strings.NewReader("{}"), 400, ""},
		{"too long", "application/x-www-form-urlencoded", strings.NewReader("username=" + strings.Repeat("a", 1<<20)), 413, ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			response, text := s.do(t, http.MethodPost, "/form?username=eve", c.body, map[string]string{"Content-Type": c.kind})
			if response.StatusCode != c.status || (c.status == 200 && text != c.want) {
				t.Errorf("got %d %q, want %d %q", response.StatusCode, text, c.status, c.want)
			}
		})
	}
}

func TestStopTellsTheBalancerAndClosesStreams(t *testing.T) {
	t.Parallel()
	streamEnded := make(chan error, 1)
	s := serve(t, 300*time.Millisecond, func(app *fiber.App) {
		app.Get("/events", func(c *fiber.Ctx) error {
			return httpserver.Stream(c, anyone(), func(ctx context.Context, send func(event, data string) error) error {
				if err := send("state", "queued\nnow"); err != nil {
					return err
				}
				<-ctx.Done()
				streamEnded <- context.Cause(ctx)
				return nil
			})
		})
	})
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+"/events", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	want := "retry: 2000\n\nid: 1\nevent: state\ndata: queued\ndata: now\n\n"
	first := make([]byte, len(want))
	if _, err := io.ReadFull(response.Body, first); err != nil || string(first) != want {
		t.Fatalf("the stream began with %q (%v), want %q", first, err, want)
	}
	if answer, _ := s.do(t, http.MethodGet, "/readyz", nil, nil); answer.StatusCode != 200 {
		t.Errorf("/readyz gave %d before the stop", answer.StatusCode)
	}
	began := time.Now()
	s.stop()
	for s.health.Ready() == nil {
		time.Sleep(time.Millisecond)
	}
	if answer, _ := s.do(t, http.MethodGet, "/readyz", nil, nil); answer.StatusCode != 503 {
		t.Errorf("/readyz gave %d while lingering", answer.StatusCode)
	}
	if _, err := io.ReadAll(response.Body); err != nil {
		t.Errorf("the stream ended with %v, want its proper end", err)
	}
	if cause := <-streamEnded; cause == nil {
		t.Error("the stream ended without a cause")
	}
	if err := <-s.ended; err != nil {
		t.Error(err)
	}
	if took := time.Since(began); took > 3*time.Second {
		t.Errorf("the stop took %v", took)
	}
}

func TestStreamNoticesThatTheClientLeft(t *testing.T) {
	t.Parallel()
	left := make(chan struct{})
	s := serve(t, 0, func(app *fiber.App) {
		app.Get("/events", func(c *fiber.Ctx) error {
			return httpserver.Stream(c, anyone(), func(ctx context.Context, send func(event, data string) error) error {
				defer close(left)
				for n := 0; ctx.Err() == nil; n++ {
					if err := send("tick", fmt.Sprint(n)); err != nil {
						return err
					}
				}
				return nil
			})
		})
	})
	ctx, cancel := context.WithCancel(t.Context())
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+"/events", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	cancel()
	select {
	case <-left:
	case <-time.After(time.Minute):
		t.Error("the stream goes on without its client")
	}
}
