package instance_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"maskfleet/pkg/config"
	"maskfleet/pkg/instance"
	"maskfleet/pkg/testenv"
)

func settings(t *testing.T, environ ...string) instance.Config {
	t.Helper()
	cfg, err := config.Load[instance.Config](environ)
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

func TestRoles(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]string{
		"": "ingest,inference-worker", "MASKFLEET_ROLES=ingest": "ingest",
		"MASKFLEET_ROLES=inference-worker,ingest,ingest": "inference-worker,ingest",
	} {
		var environ []string
		if given != "" {
			environ = []string{given}
		}
		cfg := settings(t, environ...)
		if got := cfg.RoleNames(); got != want {
			t.Errorf("%q: got %q, want %q", given, got, want)
		}
		for _, role := range []instance.Role{instance.RoleIngest, instance.RoleWorker} {
			var log strings.Builder
			left, plays := cfg.LeavesOut(role, slog.New(slog.NewTextHandler(&log, nil))), strings.Contains(want, string(role))
			if cfg.Plays(role) != plays || left == plays {
				t.Errorf("%q: plays %s: %t, left out: %t", given, role, !plays, left)
			}
			if lines := strings.Count(log.String(), "\n"); left && lines != 1 || !left && lines != 0 {
				t.Errorf("%q: of %s it says %q", given, role, log.String())
			}
		}
	}
}

func TestConfigRefusesWhatCannotWork(t *testing.T) {
	t.Parallel()
	for _, wrong := range []string{
		"INSTANCE_ID=a.b", "MASKFLEET_ROLES=scaler", "MASKFLEET_ROLES=ingest,", "AWS_EC2_METADATA_SERVICE_ENDPOINT=here",
		"INSTANCE_METADATA_WAIT=0s", "SPOT_WATCH_INTERVAL=-1s",
	} {
		name, _, _ := strings.Cut(wrong, "=")
		if _, err := config.Load[instance.Config]([]string{wrong}); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: got %v, want an error that names it", wrong, err)
		}
	}
}

func TestNamedBySettingsNobodyIsAsked(t *testing.T) {
	t.Parallel()
	got, err := instance.Open(t.Context(), settings(t, "INSTANCE_ID=here", "INSTANCE_ZONE=z"), testenv.Logger(t))
	if err != nil || got.ID != "here" || got.Zone != "z" || got.Found {
		t.Fatalf("got %+v, %v", got, err)
	}
	got.WatchSpot(t.Context(), testenv.Logger(t), func(context.Context, instance.Notice) { t.Error("told of a notice") }) // returns
}

// TestServicesThatDoNotSay: each of them is a clear error in bounded time.
func TestServicesThatDoNotSay(t *testing.T) {
	t.Parallel()
	hanging := make(chan struct{})
	t.Cleanup(func() { close(hanging) }) // before the servers wait for their requests
	says := func(text string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, text) }
	}
	for name, answer := range map[string]http.HandlerFunc{
		"refuses":       func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) },
		"knows nothing": http.NotFound,
		"leads elsewhere": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://127.0.0.1:1/", http.StatusFound)
		},
		"hangs":              func(http.ResponseWriter, *http.Request) { <-hanging },
		"says nothing":       says(""),
		"is somebody's page": says("<html>Log in. </html>"),
		"cannot stop":        says(strings.Repeat("i", 1<<20)),
		"breaks off its words": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			_, _ = io.WriteString(w, "i-")
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(answer)
			t.Cleanup(server.CloseClientConnections)
			cfg := settings(t, "AWS_EC2_METADATA_SERVICE_ENDPOINT="+server.URL, "INSTANCE_METADATA_WAIT=200ms")
			got, err := instance.Open(t.Context(), cfg, testenv.Logger(t))
			if !errors.Is(err, instance.ErrUnnamed) || !strings.Contains(err.Error(), "INSTANCE_ID") {
				t.Errorf("got %+v, %v, want %v", got, err, instance.ErrUnnamed)
			}
		})
	}
}

// TestServiceThatComesLate: a network may be up after the program.
func TestServiceThatComesLate(t *testing.T) {
	t.Parallel()
	var questions atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if questions.Add(1) == 1 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		_, _ = io.WriteString(w, map[string]string{
			"/latest/api/token": "t", "/latest/meta-data/instance-id": "i-1\n", "/latest/meta-data/placement/availability-zone": "eu-central-1a",
		}[r.URL.Path])
	}))
	t.Cleanup(server.Close)
	cfg := settings(t, "AWS_EC2_METADATA_SERVICE_ENDPOINT="+server.URL+"/", "INSTANCE_METADATA_WAIT="+time.Minute.String())
	got, err := instance.Open(t.Context(), cfg, testenv.Logger(t))
	if err != nil || got.ID != "i-1" || got.Zone != "eu-central-1a" || !got.Found {
		t.Errorf("got %+v, %v", got, err)
	}
}
